import {
  CancelledFailure,
  defineSignal,
  setDefaultSignalHandler,
  setHandler,
  CancellationScope,
  ApplicationFailure,
} from '@temporalio/workflow';
import { PROCESS_COMMANDS } from '../../domain/process/command-names.ts';
import { parseProcessCommand, parseReceived } from '../../domain/process/commands.ts';
import { decideProcess, type ProcessCommand } from '../../domain/process/decide.ts';
import { checkDefinition, isWaiting, type ProcessDefinition } from '../../domain/process/definition.ts';
import type { ProcessEvent } from '../../domain/process/events.ts';
import type { ProcessState } from '../../domain/process/state.ts';
import type { Refusal } from '../../domain/shared/decision.ts';
import { isoTimeOrNull } from '../../domain/shared/time.ts';
import { CommandQueue, type Outcome } from '../runtime/command-queue.ts';
import { handleUpdate } from '../runtime/entity-loop.ts';
import { runProcess, updateAlerts, type ProcessQueue, type ProcessRun } from './process-runner.ts';
import { processRows } from './step-activity.ts';
import * as messages from './process.messages.ts';

/** Makes the workflow of a declared process type; exported from `index.ts` under the workflow type's name. */
export function processWorkflow(
  definition: ProcessDefinition,
): (input: messages.ProcessInput) => Promise<messages.ProcessResult> {
  checkDefinition(definition);
  return async ({ tenantId, processId, carried }) => {
    const queue: ProcessQueue = new CommandQueue<ProcessCommand, Outcome<ProcessState, ProcessEvent>>(carried?.refused);
    let life: ProcessRun | undefined;
    handleMessages(definition, queue, () => life);
    let isCancelled = false;
    CancellationScope.current().cancelRequested.catch(() => {
      isCancelled = true;
      queue.signal('cancel', {
        ok: true,
        value: { type: 'cancel', by: 'temporal', reason: 'The workflow was cancelled.' },
      });
    });

    return CancellationScope.nonCancellable(async () => {
      const ref = { tenantId, processId, type: definition.type };
      const begun = carried ?? (await processRows.loadProcess(ref));
      if (begun === null)
        throw ApplicationFailure.nonRetryable('There is no row of this process.', 'process_not_found');
      life = { ref, definition, queue, state: begun.state, revision: begun.revision };
      if (carried === undefined) await updateAlerts(life, null, []); // else the run before has told them
      await runProcess(life);
      return endOf(life.state, isCancelled);
    });
  };
}

/** How the execution ends: as the process did, so that nobody reads a success where something is left to be undone. */
function endOf({ status, cause }: ProcessState, isCancelled: boolean): messages.ProcessResult {
  if (status === 'cancelled' && isCancelled) throw new CancelledFailure('The process was cancelled and undone.');
  if (status !== 'abandoned') return { status, cause };
  throw ApplicationFailure.nonRetryable(
    'An operator closed the process with something left to be done or undone.',
    'process_abandoned',
    { status, cause },
  );
}

function handleMessages(
  definition: ProcessDefinition,
  queue: ProcessQueue,
  current: () => ProcessRun | undefined,
): void {
  const view = (): messages.ProcessView | null => viewOf(current());
  const prevalidate = (command: ProcessCommand): Refusal | null => {
    const life = current();
    if (life === undefined || !queue.isEmpty) return null;
    const decision = decideProcess(definition, life.state, command, Date.now());
    return decision.accepted ? null : decision.refusal;
  };
  const handle = (name: string, parse: (payload: unknown) => ReturnType<typeof parseReceived>): void => {
    setHandler(defineSignal<[unknown?]>(name), (payload?: unknown) => queue.signal(name, parse(payload)));
    handleUpdate({ queue, definition: { name }, parse, prevalidate, view });
  };
  for (const name of PROCESS_COMMANDS) handle(name, (payload) => parseProcessCommand(name, payload));
  for (const step of Object.values(definition.steps))
    if (isWaiting(step)) handle(step.awaits, (payload) => parseReceived(step.awaits, payload));
  setDefaultSignalHandler((name) => {
    queue.refuse({ name }, { code: 'unknown_signal', detail: `There is no signal "${name.slice(0, 100)}".` });
  });
  setHandler(messages.processStateQuery, view);
}

function viewOf(life: ProcessRun | undefined): messages.ProcessView | null {
  if (life === undefined) return null;
  const {
    state: { status, currentStep, cause, history, dueAt },
    revision,
    queue,
  } = life;
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
