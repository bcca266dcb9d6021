import type { UpdateDefinition } from '@temporalio/common';
import { defineQuery, defineUpdate } from '@temporalio/workflow';
import type { ProcessCommandName } from '../../domain/process/command-names.ts';
import type { Cause, ProcessState, StepExecution } from '../../domain/process/state.ts';
import type { ProcessStatus } from '../../domain/process/statuses.ts';
import type { RefusedCommand } from '../runtime/command-queue.ts';

/** Workflow type of a type of process: `orderProcess` of `order`, `routingSlipProcess` of `routing_slip`. */
export function processWorkflowType(type: string): string {
  return `${type.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())}Process`;
}

/** Workflow id of a process that has an execution of its own. */
export function processWorkflowId({ type, processId }: { type: string; processId: string }): string {
  return `${type}:${processId}`;
}

/** Input of every process workflow. */
export interface ProcessInput {
  readonly tenantId: string;
  readonly processId: string;
  /** A state that the sender knows to be the row's, at this revision; without it the row is read. */
  readonly carried?: {
    readonly state: ProcessState;
    readonly revision: number;
    readonly refused?: readonly RefusedCommand[];
  };
}

/** Payload of the commands, as signal or Update: who gives it and why; `step` for `skipCompensation` alone. */
export interface CommandPayload {
  readonly by?: string;
  readonly reason?: string;
  readonly step?: string;
}

/** What the `state` query and every Update answer. */
export interface ProcessView {
  readonly status: ProcessStatus;
  readonly currentStep: string | null;
  readonly cause: Cause | null;
  readonly history: readonly StepExecution[];
  /** ISO 8601; when time alone changes something. */
  readonly dueAt: string | null;
  readonly revision: number;
  /** The latest commands that were not allowed, newest last. */
  readonly refused: readonly RefusedCommand[];
}

/** What a process ends with. */
export interface ProcessResult {
  readonly status: ProcessStatus;
  readonly cause: Cause | null;
}

/** The Update by which a command is given; null: the process has not begun. */
export function processUpdate(command: ProcessCommandName): UpdateDefinition<ProcessView | null, [CommandPayload]> {
  return defineUpdate(command);
}

export const processStateQuery = defineQuery<ProcessView | null>('state');
