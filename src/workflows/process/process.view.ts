import { defineSearchAttributeKey } from '@temporalio/common';
import type { ProcessCommand } from '../../domain/process/decide.ts';
import type { ProcessDefinition } from '../../domain/process/definition.ts';
import type { ProcessEvent } from '../../domain/process/events.ts';
import type { ProcessState } from '../../domain/process/state.ts';
import { isoTimeOrNull } from '../../domain/shared/time.ts';
import type { DeciderRun, Showing } from '../runtime/decider.ts';
import type { ProcessView } from './process.messages.ts';

/** The types of a process workflow: what it decides by is its declaration. */
export interface ProcessKind {
  readonly state: ProcessState;
  readonly command: ProcessCommand;
  readonly event: ProcessEvent;
  readonly settings: ProcessDefinition;
}

const processStatus = defineSearchAttributeKey('ProcessStatus', 'KEYWORD');
const processStep = defineSearchAttributeKey('ProcessStep', 'KEYWORD');

/** What operators see of a process, when it stands. */
export const processShowing: Showing<ProcessKind> = {
  when: 'at_rest',
  searchAttributes: ({ state }) => [
    { key: processStatus, value: state.status },
    { key: processStep, value: state.currentStep },
  ],
  currentDetails({ state: { status, history, cause } }) {
    const lines = history.map(({ step, status: stepStatus, error, compensation }) => {
      const trouble = compensation?.error ?? error;
      return `- ${step}: ${stepStatus}${trouble === null ? '' : ` (${trouble.code}: ${trouble.message})`}`;
    });
    return [`**${status}**${cause === null ? '' : ` since ${cause.code}: ${cause.message}`}`, ...lines].join('\n');
  },
  timerSummary: ({ state }) => `${state.status} at ${state.currentStep}`,
};

/** What the `state` query and the Updates answer; null: the row is not read yet. */
export function viewOf({ entity, queue }: DeciderRun<ProcessKind>): ProcessView | null {
  if (entity === null) return null;
  const {
    state: { status, currentStep, cause, history, dueAt },
    revision,
  } = entity;
  return {
    status,
    currentStep,
    cause,
    history,
    dueAt: isoTimeOrNull(dueAt),
    revision,
    refused: queue.refused,
  };
}
