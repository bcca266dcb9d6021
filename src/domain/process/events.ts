import type { ProcessData } from './definition.ts';
import type { Cause, OperatorDecision } from './state.ts';

/** The body of an event; `ProcessEvent` adds its time and number. */
export type ProcessEventBody =
  | { readonly type: 'ProcessStarted' }
  /** The step is next. From here on its undo will run if the process turns back. */
  | { readonly type: 'StepRegistered'; readonly step: string }
  | { readonly type: 'StepStarted'; readonly step: string }
  | { readonly type: 'WaitStarted'; readonly step: string; readonly event: string; readonly dueAt: number }
  | { readonly type: 'WaitOverdue'; readonly step: string; readonly reminders: number; readonly dueAt: number }
  | { readonly type: 'EventReceivedEarly'; readonly event: string; readonly payload: ProcessData }
  | { readonly type: 'StepCompleted'; readonly step: string; readonly attempts: number; readonly result: ProcessData }
  | { readonly type: 'StepFailed'; readonly step: string; readonly attempts: number; readonly cause: Cause }
  | { readonly type: 'StepParked'; readonly step: string; readonly dueAt: number }
  | { readonly type: 'StepRetried'; readonly step: string; readonly decided: OperatorDecision }
  /** An operator says that the step was done by hand; its `skip` leaves behind what it would have. */
  | { readonly type: 'SkipStarted'; readonly step: string; readonly decided: OperatorDecision }
  | { readonly type: 'StepSkipped'; readonly step: string; readonly decided: OperatorDecision }
  | { readonly type: 'CancellationRequested'; readonly decided: OperatorDecision }
  | { readonly type: 'CompensationStarted'; readonly cause: Cause }
  | { readonly type: 'StepCompensating'; readonly step: string }
  | { readonly type: 'StepCompensated'; readonly step: string; readonly attempts: number }
  | { readonly type: 'StepCompensationFailed'; readonly step: string; readonly attempts: number; readonly cause: Cause }
  | { readonly type: 'CompensationParked'; readonly dueAt: number }
  | { readonly type: 'CompensationRetried'; readonly decided: OperatorDecision }
  | { readonly type: 'CompensationSkipped'; readonly step: string; readonly decided: OperatorDecision }
  /** A parked process has waited a day for a decision; operators are reminded. */
  | { readonly type: 'ParkingOverdue'; readonly dueAt: number }
  | { readonly type: 'ProcessCompleted' }
  | { readonly type: 'ProcessCompensated' }
  | { readonly type: 'ProcessCancelled' }
  | { readonly type: 'ProcessAbandoned'; readonly decided: OperatorDecision | null }
  /** It is parked again where it was abandoned, at this step. */
  | {
      readonly type: 'ProcessReopened';
      readonly step: string;
      readonly decided: OperatorDecision;
      readonly dueAt: number;
    };

/** An event: `sequence` counts from 1 within its process, `at` is in milliseconds since the epoch. */
export type ProcessEvent = ProcessEventBody & { readonly sequence: number; readonly at: number };

const CLOSING: ReadonlySet<string> = new Set<ProcessEventBody['type']>([
  'ProcessCompleted',
  'ProcessCompensated',
  'ProcessCancelled',
  'ProcessAbandoned',
]);

/** Whether a process is over with an event of this type, unless it is reopened. */
export function isClosingEvent(type: string): boolean {
  return CLOSING.has(type);
}
