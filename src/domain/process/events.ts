import type { ProcessData } from './definition.ts';
import type { Cause, OperatorDecision } from './state.ts';

/** What happened in a process. Each also has the time, in milliseconds since the epoch, and its number. */
export type ProcessEventBody =
  | { readonly type: 'ProcessStarted' }
  /** The step is next; its undo is on the list from here on. */
  | { readonly type: 'StepRegistered'; readonly step: string }
  | { readonly type: 'StepStarted'; readonly step: string }
  | { readonly type: 'WaitStarted'; readonly step: string; readonly event: string; readonly dueAt: number }
  | { readonly type: 'WaitOverdue'; readonly step: string; readonly reminders: number; readonly dueAt: number }
  | { readonly type: 'EventReceivedEarly'; readonly event: string; readonly payload: ProcessData }
  | { readonly type: 'StepCompleted'; readonly step: string; readonly attempts: number; readonly result: ProcessData }
  | { readonly type: 'StepFailed'; readonly step: string; readonly attempts: number; readonly cause: Cause }
  | { readonly type: 'StepParked'; readonly step: string; readonly dueAt: number }
  | { readonly type: 'StepRetried'; readonly step: string; readonly decided: OperatorDecision }
  | { readonly type: 'StepSkipped'; readonly step: string; readonly decided: OperatorDecision }
  | { readonly type: 'CancellationRequested'; readonly decided: OperatorDecision }
  | { readonly type: 'CompensationStarted'; readonly cause: Cause }
  | { readonly type: 'StepCompensating'; readonly step: string }
  | { readonly type: 'StepCompensated'; readonly step: string; readonly attempts: number }
  | { readonly type: 'StepCompensationFailed'; readonly step: string; readonly attempts: number; readonly cause: Cause }
  | { readonly type: 'CompensationParked'; readonly dueAt: number }
  | { readonly type: 'CompensationRetried'; readonly decided: OperatorDecision }
  | { readonly type: 'CompensationSkipped'; readonly step: string; readonly decided: OperatorDecision }
  /** Operators have not decided for a day. */
  | { readonly type: 'ParkingOverdue'; readonly dueAt: number }
  | { readonly type: 'ProcessCompleted' }
  | { readonly type: 'ProcessCompensated' }
  | { readonly type: 'ProcessCancelled' }
  | { readonly type: 'ProcessAbandoned'; readonly decided: OperatorDecision | null };

/** What happened, with its place: `sequence` counts from 1 within its process. */
export type ProcessEvent = ProcessEventBody & { readonly sequence: number; readonly at: number };

const CLOSING: ReadonlySet<string> = new Set<ProcessEventBody['type']>([
  'ProcessCompleted',
  'ProcessCompensated',
  'ProcessCancelled',
  'ProcessAbandoned',
]);

/** Whether an event of this type is the last one of its process. */
export function isClosingEvent(type: string): boolean {
  return CLOSING.has(type);
}
