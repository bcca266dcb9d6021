import type { Facts } from '../../src/db/facts.ts';
import type { ProcessDefinition } from '../../src/domain/process/definition.ts';

const HOUR = 3_600_000;

/** Small processes, one for each way of standing still. */
export const WATCHED_TYPES: Readonly<Record<string, ProcessDefinition>> = {
  // Named like a type of the product, since the watchdog looks for open executions of those alone.
  order: {
    type: 'order',
    summary: 'Waits for an event, then acts',
    steps: {
      await_go: { awaits: 'go', foundBy: 'findGo', limitMs: () => HOUR, late: 'remind' },
      finish: { execute: 'succeed' },
    },
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

/** A process has gone once its data say so in its row. */
export const WATCHED_FACTS: Facts = {
  processType: (type) => WATCHED_TYPES[type]!,
  finders: {
    findGo: async (client, { tenantId, processIds }) => {
      const { rows } = await client.query<{ processId: string }>(
        `SELECT process_id::text AS "processId" FROM process_states
          WHERE tenant_id = $1 AND process_id = ANY($2::uuid[]) AND data ? 'gone'`,
        [tenantId, processIds],
      );
      return new Map(rows.map(({ processId }) => [processId, {}]));
    },
  },
};
