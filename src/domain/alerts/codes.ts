import { conflict, missing, type Explanation, type RefusalEntry } from '../shared/codes.ts';

/** Conditions that somebody must look at. */
export const ALERT_KINDS = {
  temporal_unreachable: {
    title: 'Temporal unreachable',
    detail: 'Temporal does not answer.',
    remedy: 'Start it or the way to it. Nothing is lost: calls wait in the workflow outbox.',
  },
  no_worker: {
    title: 'No worker',
    detail: 'No worker asks a task queue for work.',
    remedy: "Start workers on the alert's task queue.",
  },
  schedule_to_start: {
    title: 'Work waits',
    detail: 'Tasks wait longer than they should before a worker takes them.',
    remedy: 'Start more workers, or find out what keeps those at work.',
  },
  relay_stalled: {
    title: 'Relay stalled',
    detail: 'Messages or calls on workflows have waited too long in an outbox.',
    remedy: 'See whether the bus or Temporal is up, and what the logs of workers and API say of it.',
  },
  horizon_stalled: {
    title: 'Horizon stalled',
    detail: 'A transaction stays open, and readers of the logs wait for it.',
    remedy: 'End the transaction that the alert names.',
  },
  restored_elsewhere: {
    title: 'Database restored',
    detail: 'The database was restored into another cluster, or to an earlier point.',
    remedy: 'Stop workers and API, run `npm run restart-readers`, and start them again.',
  },
  sync_failure_rate: {
    title: 'Copies fail',
    detail: 'Too many of the users who were sent out lately are not confirmed.',
    remedy: 'Mend the service that `lastSyncError` names, then resync in bulk.',
  },
  deletion_unconfirmed: {
    title: 'Deletion not confirmed',
    detail: 'A service has not confirmed that it has forgotten users who were deleted.',
    remedy: 'Mend the service that the alert names and force a resync of the user; or end the wait for it.',
  },
  process_parked: {
    title: 'Process parked',
    detail: 'An order or another process waits for an operator.',
    remedy: 'Mend its cause, then retry the step or its undo; skip or abandon what can not be mended.',
  },
  process_overdue: {
    title: 'Process overdue',
    detail: 'A process waits for an event longer than it should.',
    remedy: 'Ask who should have told of it, and tell it in their place.',
  },
  process_stuck: {
    title: 'Process stuck',
    detail: 'A process has not moved for a while, and waits for nobody.',
    remedy: 'Act on the `classed` of its details; then recover it.',
  },
  order_stalled: {
    title: 'Orders stalled',
    detail: 'A service has not answered in time what choreographed orders ask, or nobody has told of their delivery.',
    remedy:
      'Replay the dead letters of the service that the alert names and see that it runs; then recover the orders.',
  },
  step_not_saved: {
    title: 'Step not saved',
    detail: "A step of a user's workflow leads to a row that can't be written; it was dropped.",
    remedy: 'Find out who sent the command that led to it; then resolve the alert.',
  },
  workflow_stuck: {
    title: 'Workflow stuck',
    detail: "The workflow of a user's profile or copies does not move.",
    remedy: 'Act on the `classed` of its details; a terminated workflow goes on from its row at the next audit.',
  },
  schedule_amiss: {
    title: 'Schedule amiss',
    detail: 'A schedule of the audits or of the clean-up is paused, was changed, or was gone and is back.',
    remedy: 'Unpause it, or start a worker again, which sets all schedules; find out who meddled.',
  },
  dead_letter_depth: {
    title: 'Dead letters',
    detail: 'Too many dead letters are parked.',
    remedy: 'Group them by cause, mend it, then replay them in bulk.',
  },
} as const satisfies Record<string, Explanation>;
export type AlertKind = keyof typeof ALERT_KINDS;

/** Refusals of operators' requests about alerts. */
export const ALERT_PROBLEMS = {
  alert_not_found: missing('Alert not found', 'There is no such alert.', 'Check the id and the tenant.'),
  alert_already_resolved: conflict(
    'Alert already resolved',
    'The alert is resolved already.',
    'Nothing: should the condition come back, a new alert opens.',
  ),
} satisfies Record<string, RefusalEntry>;
export type AlertProblem = keyof typeof ALERT_PROBLEMS;
