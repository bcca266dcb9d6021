import type { Check } from './check.ts';
import { deadLetterDepth } from './checks/dead-letter-depth.ts';
import { deletionUnconfirmed } from './checks/deletion-unconfirmed.ts';
import { horizonStalled } from './checks/horizon-stalled.ts';
import { createNoWorkerCheck } from './checks/no-worker.ts';
import { orderStalled } from './checks/order-stalled.ts';
import { relayStalled } from './checks/relay-stalled.ts';
import { restoredElsewhere } from './checks/restored-elsewhere.ts';
import { createScheduleCheck } from './checks/schedule-amiss.ts';
import { scheduleToStart } from './checks/schedule-to-start.ts';
import { syncFailureRate } from './checks/sync-failure-rate.ts';
import { temporalUnreachable } from './checks/temporal-unreachable.ts';

/** All the checks, in the order in which a round runs them. */
export function createChecks(): readonly Check[] {
  return [
    syncFailureRate,
    deletionUnconfirmed,
    deadLetterDepth,
    orderStalled,
    horizonStalled,
    relayStalled,
    restoredElsewhere,
    temporalUnreachable,
    createNoWorkerCheck(),
    scheduleToStart,
    createScheduleCheck(),
  ];
}
