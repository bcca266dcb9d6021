import type { ProcessDefinition } from '../../src/domain/process/definition.ts';

const HOUR = 3_600_000;

/** Small processes, one for each way of standing still. */
export const WATCHED_TYPES: Readonly<Record<string, ProcessDefinition>> = {
  // Named like a type of the product, since the watchdog looks for open executions of those alone.
  order: {
    type: 'order',
    summary: 'Waits for an event, then acts',
    steps: { await_go: { awaits: 'go', limitMs: () => HOUR, late: 'remind' }, finish: { execute: 'succeed' } },
  },
  retrying: {
    type: 'retrying',
    summary: 'Tries again in an hour',
    steps: { call: { execute: 'failForNow', attempts: { maximum: 3, firstDelayMs: HOUR, backoff: 1 } } },
  },
  remote: {
    type: 'remote',
    summary: 'Tries again in an hour to call',
    steps: {
      call: { execute: 'failToCall', isRemote: true, attempts: { maximum: 3, firstDelayMs: HOUR, backoff: 1 } },
    },
  },
  parked: {
    type: 'parked',
    summary: "Can't be undone",
    steps: { first: { execute: 'succeed', compensate: 'refuse' }, second: { execute: 'refuse' } },
  },
  broken: { type: 'broken', summary: 'Its workflow fails', steps: { never: { execute: 'succeed' } } },
};
