import { conflict, final, missing, passing, type CodeEntry, type RefusalEntry } from '../shared/codes.ts';

/** Refusals of commands on a process of any type. */
export const PROCESS_REFUSALS = {
  process_closed: conflict(
    'Process closed',
    'The process is over, and takes no command.',
    'Read how it ended. One that was abandoned is reopened by replaying its dead letter; else start another.',
  ),
  process_not_abandoned: conflict(
    'Process not abandoned',
    'Only a process that was abandoned can be reopened.',
    'Read its `status`: an open one takes commands, one that ended otherwise has nothing left to decide.',
  ),
  process_not_parked: conflict(
    'Process not parked',
    "The process does not wait for an operator's decision of this kind.",
    'Read its `status`: `compensation_failed` takes commands on the undo, `step_failed` those on the step.',
  ),
  process_turned_back: conflict(
    'Process turned back',
    'The process is being undone already.',
    'Wait until it is undone; `cause` says why it turned back.',
  ),
  past_point_of_no_return: conflict(
    'Past the point of no return',
    "What is done can no longer be undone, so it can't be cancelled.",
    'Let it complete; an order is refunded then.',
  ),
  unknown_event: missing(
    'Unknown event',
    'No step of the process waits for this event.',
    'Look up which event its type waits for, and whether it is the right process.',
  ),
  step_not_skippable: conflict(
    'Step not skippable',
    "Nothing does by hand what the step would leave behind, so it can't be skipped.",
    'Retry the step once its cause is mended, or abandon the process and settle what it has left over.',
  ),
  unknown_step: missing(
    'Unknown step',
    'The process has no such step whose undo has failed.',
    'Name one of the steps that `detail` lists.',
  ),
} satisfies Record<string, RefusalEntry>;
export type ProcessRefusal = keyof typeof PROCESS_REFUSALS;

/** What else callers hear about processes; a workflow that finds no row fails with it, too. */
export const PROCESS_PROBLEMS = {
  process_not_found: missing(
    'Process not found',
    'There is no such process.',
    'Check the id and the tenant; in a workflow: its row is past its retention or was lost in a restore, terminate it.',
  ),
  process_open: {
    ...conflict(
      'Process open',
      'The process is not over, so nothing is left over yet.',
      'Retry, skip, abandon or cancel it, or wait until it is over.',
    ),
    retryable: true,
  },
  process_by_messages: conflict(
    'Process by messages',
    'Services carry the process by messages, and no workflow does, so that it never waits for a decision of this kind.',
    'Replay what `conversation.deadLetters` of the order names; recover the process, which asks again; or cancel it.',
  ),
  nothing_left_over: conflict(
    'Nothing left over',
    'What is to be settled is not left over.',
    'Read `leftOver` of the process, which says what is, and ask for moves of that alone.',
  ),
  settlement_under_way: {
    ...conflict(
      'Settlement under way',
      'Something else that is left over of the order is being settled.',
      'Wait until that settlement is over, or decide about it: it is a process, too.',
    ),
    retryable: true,
  },
  process_settled: conflict(
    'Process settled',
    "What the process has left over was settled, or may have been, so it can't be reopened.",
    'Settle what is left over still, if anything is, and discard its dead letter.',
  ),
} satisfies Record<string, RefusalEntry>;

export type ProcessProblem = keyof typeof PROCESS_PROBLEMS;

/** Causes that a step or an undo of any type of process may have. */
export const PROCESS_CAUSES = {
  cancelled: final(
    'Cancelled',
    'Somebody cancelled the process.',
    'Nothing: what was done is undone; `cancelled` says who asked for it, and why.',
  ),
  timed_out: passing(
    'Timed out',
    'A call took longer than the step allows; it may have taken effect.',
    'Wait: it is tried again, and asks first what became of it. Once parked, see whether the other side is up.',
  ),
  no_answer: passing(
    'No answer',
    'A call was made, and what became of it is not known, since its worker went away.',
    'Wait: it is tried again, and asks first what became of it.',
  ),
  step_error: passing(
    'Step failed',
    'An attempt failed by an error that has no code of its own; `message` is what it said.',
    'Wait while it is tried again. Once parked, mend what `message` names and retry the step or its undo.',
  ),
  unexplained: passing(
    'Unexplained',
    'The step failed without a cause.',
    "Look at the process's events and the worker's log around that time, and report it: this is a bug.",
  ),
} satisfies Record<string, CodeEntry>;
export type ProcessCause = keyof typeof PROCESS_CAUSES;

/** Failures that Temporal shows of the execution and of the activities of a process, besides the causes. */
export const PROCESS_FAILURES = {
  pausing: passing(
    'Pausing',
    'The pause after a failed attempt is not over, so the next one was put off.',
    "Nothing: Temporal tries again when it is. The process's `retry` has the cause.",
  ),
  process_abandoned: final(
    'Process abandoned',
    'An operator closed the process with something left to be done or undone.',
    'Nothing, if what is left was done by hand; the events of the process say who decided it, and why.',
  ),
} satisfies Record<string, CodeEntry>;
export type ProcessFailure = keyof typeof PROCESS_FAILURES | ProcessProblem;
