import test from 'ava';
import {
  classify,
  PROCESS_CLASSES,
  remedyOf,
  type ProcessClass,
  type WatchedExecution,
  type WatchedRow,
} from './watch.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const MINUTE = 60_000;
const LONG_AGO = NOW - 60 * MINUTE;

const ROW: WatchedRow = {
  status: 'running',
  currentStep: 'pay',
  dueAt: null,
  updatedAt: LONG_AGO,
  attempts: 0,
  lastError: null,
  retryAt: null,
};
type Open = Extract<WatchedExecution, { isOpen: true }>;
const OPEN: Open = {
  isOpen: true,
  startedAt: LONG_AGO,
  isPaused: false,
  task: null,
  taskFailure: null,
  activities: [],
  isPolled: true,
};
const TASK = { attempt: 1, scheduledAt: LONG_AGO, takenAt: LONG_AGO };
const ACTIVITY = { ...TASK, name: 'callBank', lastFailure: null, isPaused: false };
const REFUSED = { code: 'bank_away', message: 'The bank is away.', class: 'transient' } as const;

const CASES: readonly [
  rule: string,
  row: Partial<WatchedRow>,
  execution: Partial<Open> | Extract<WatchedExecution, { isOpen: false }>,
  expected: ProcessClass,
][] = [
  ['closed in both is over', { status: 'compensated' }, { isOpen: false, ended: 'completed' }, 'closed'],
  [
    'an open row without an execution has lost it',
    { status: 'running' },
    { isOpen: false, ended: 'missing' },
    'workflow_gone',
  ],
  [
    'a wait by design without an execution has lost it too',
    { status: 'waiting', dueAt: NOW + MINUTE },
    { isOpen: false, ended: 'terminated' },
    'workflow_gone',
  ],
  [
    'a loss is one however recent the last move was',
    { updatedAt: NOW },
    { isOpen: false, ended: 'failed' },
    'workflow_gone',
  ],
  ['a closed row with an open execution is left open', { status: 'completed' }, {}, 'left_open'],
  [
    'a process that ends now is about to close its execution',
    { status: 'completed', updatedAt: NOW - MINUTE },
    {},
    'moving',
  ],
  ['what moved lately moves', { updatedAt: NOW - 4 * MINUTE }, {}, 'moving'],
  ['a run that began lately moves, though the row is old', {}, { startedAt: NOW - MINUTE }, 'moving'],
  ['an event is waited for', { status: 'waiting', dueAt: NOW + MINUTE }, {}, 'waiting'],
  ['a due time that has just passed is still waited for', { status: 'waiting', dueAt: NOW - MINUTE }, {}, 'waiting'],
  [
    'a due time that passed long ago should have moved it',
    { status: 'waiting', dueAt: NOW - 5 * MINUTE },
    {},
    'stalled',
  ],
  ['an operator is waited for', { status: 'compensation_failed', dueAt: NOW + MINUTE }, {}, 'waiting'],
  ['who paused the workflow is waited for', {}, { isPaused: true }, 'waiting'],
  [
    'who paused the activity is waited for',
    {},
    { activities: [{ ...ACTIVITY, takenAt: null, isPaused: true }] },
    'waiting',
  ],
  ['attempts counted in the row go on', { attempts: 2, lastError: REFUSED, retryAt: NOW + MINUTE }, {}, 'retrying'],
  ['an attempt at work goes on', { attempts: 2, lastError: REFUSED, retryAt: null }, {}, 'retrying'],
  [
    'an attempt that was due long ago does not come',
    { attempts: 2, lastError: REFUSED, retryAt: NOW - 5 * MINUTE },
    {},
    'stalled',
  ],
  [
    'an activity in a later attempt is retried',
    {},
    { activities: [{ ...ACTIVITY, attempt: 2, takenAt: null, lastFailure: 'away' }] },
    'retrying',
  ],
  ['an activity at work ends by its time limit', {}, { activities: [ACTIVITY] }, 'moving'],
  [
    'a workflow task that failed again and again fails by itself',
    {},
    { task: { ...TASK, attempt: 3, takenAt: null } },
    'task_failing',
  ],
  [
    'a wait does not hide that the workflow task fails',
    { status: 'waiting' },
    { task: { ...TASK, attempt: 9 } },
    'task_failing',
  ],
  [
    'a task on a queue that nobody asks has no worker',
    {},
    { task: { ...TASK, scheduledAt: NOW, takenAt: null }, isPolled: false },
    'no_worker',
  ],
  ['a task that nobody takes has no worker for it', {}, { task: { ...TASK, takenAt: null } }, 'no_worker'],
  [
    'an activity that nobody takes has no worker for it',
    {},
    { activities: [{ ...ACTIVITY, takenAt: null }] },
    'no_worker',
  ],
  [
    'a closed row whose execution no worker ends has no worker',
    { status: 'completed' },
    { task: { ...TASK, takenAt: null }, isPolled: false },
    'no_worker',
  ],
  ['a workflow task that a worker holds for too long has stalled', {}, { task: TASK }, 'stalled'],
  ['nothing to wait for and no move is stalled', {}, {}, 'stalled'],
];

for (const [rule, row, execution, expected] of CASES) {
  test(`classify: ${rule}`, (t) => {
    const seen: WatchedExecution = execution.isOpen === false ? execution : { ...OPEN, ...execution, isOpen: true };
    const { classed, detail } = classify({
      now: NOW,
      stuckAfterMs: 5 * MINUTE,
      row: { ...ROW, ...row },
      execution: seen,
      hasHappened: false,
    });
    t.is(classed, expected);
    t.regex(detail, /\.$/);
  });
}

test('classify: what waits for something that has happened has not heard of it, before or after its time', (t) => {
  for (const dueAt of [NOW + MINUTE, NOW - MINUTE, NOW - 60 * MINUTE]) {
    const row = { ...ROW, status: 'waiting', dueAt } as const;
    const seen = { now: NOW, stuckAfterMs: 5 * MINUTE, row, execution: OPEN, hasHappened: true };
    t.is(classify(seen).classed, 'unheard');
  }
});

test('classify says what a step is retried for, and when', (t) => {
  const { detail } = classify({
    now: NOW,
    stuckAfterMs: MINUTE,
    row: { ...ROW, attempts: 2, lastError: REFUSED, retryAt: NOW + MINUTE },
    execution: OPEN,
    hasHappened: false,
  });
  t.is(detail, 'Attempt 3 of pay at 2026-11-21T12:01:00.000Z, after bank_away: The bank is away.');
});

test('remedyOf names one for every class', (t) => {
  t.deepEqual(Object.fromEntries(PROCESS_CLASSES.map((classed) => [classed, remedyOf(classed)])), {
    closed: 'none',
    moving: 'none',
    waiting: 'none',
    unheard: 'tell',
    retrying: 'none',
    no_worker: 'alert',
    task_failing: 'alert',
    workflow_gone: 'restart',
    left_open: 'replace',
    stalled: 'alert',
  });
});
