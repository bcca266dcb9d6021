import type { Facts } from '../../src/db/facts.ts';
import type { ProcessData, ProcessDefinition } from '../../src/domain/process/definition.ts';

const HOUR_MS = 3_600_000;
/** An hour, unless the process was begun with another limit. */
const limitMs = ({ limitMs: given }: ProcessData): number => (typeof given === 'number' ? given : HOUR_MS);
const failures = { lost: 'unknown' } as const;

/** Processes that have every shape between them; what their steps come to, each test says. */
export const SAGA_TYPES = {
  trip: {
    type: 'trip',
    summary: 'Reserved, paid for and shipped, until it arrives',
    steps: {
      reserve: { execute: 'reserve', compensate: 'undoReserve', failures },
      pay: { execute: 'pay', compensate: 'undoPay', isRemote: true, failures },
      ship: { execute: 'ship', skip: 'shipByHand', isPivot: true, failures },
      arrive: { awaits: 'arrived', foundBy: 'findInRows', limitMs, late: 'remind' },
    },
  },
  tour: {
    type: 'tour',
    summary: 'Undone side by side',
    steps: {
      hotel: { execute: 'hotel', compensate: 'undoHotel' },
      flight: { execute: 'flight', compensate: 'undoFlight', isRemote: true },
      car: { execute: 'car', compensate: 'undoCar', failures },
      confirm: { execute: 'confirm' },
    },
    compensation: 'parallel',
  },
  chain: {
    type: 'chain',
    summary: 'Taken in one transaction',
    steps: {
      first: { execute: 'first', compensate: 'undoFirst' },
      second: { execute: 'second', compensate: 'undoSecond' },
      third: { execute: 'third' },
    },
    sharesTransaction: true,
  },
  visit: {
    type: 'visit',
    summary: 'Calls once, and not for long',
    steps: {
      knock: {
        execute: 'knock',
        compensate: 'undoKnock',
        isRemote: true,
        timeLimitMs: 1_000,
        attempts: { maximum: 1, firstDelayMs: 1, backoff: 1 },
      },
    },
  },
  permit: {
    type: 'permit',
    summary: 'Waits to be granted, and fails when it is not',
    steps: {
      apply: { execute: 'apply', compensate: 'undoApply' },
      await_grant: { awaits: 'granted', foundBy: 'findInRows', limitMs, late: 'fail' },
      issue: { execute: 'issue' },
    },
  },
} as const satisfies Record<string, ProcessDefinition>;

export type SagaType = keyof typeof SAGA_TYPES;

/** Where these processes look for what they wait for: nothing is ever there. */
export const SAGA_FACTS: Facts = { processType: sagaType, finders: { findInRows: async () => new Map() } };

/** The definition of a type of these tests. */
export function sagaType(type: string): ProcessDefinition {
  const types: Readonly<Record<string, ProcessDefinition>> = SAGA_TYPES;
  const found = types[type];
  if (found === undefined) throw new Error(`there is no process type ${type}`);
  return found;
}
