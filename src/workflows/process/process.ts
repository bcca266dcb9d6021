import {
  ApplicationFailure,
  CancelledFailure,
  continueAsNew,
  defineSignal,
  patched,
  setHandler,
} from '@temporalio/workflow';
import type { ProcessRefusal } from '../../domain/process/codes.ts';
import { PROCESS_COMMANDS, REOPENED } from '../../domain/process/command-names.ts';
import { parseProcessCommand, parseReceived } from '../../domain/process/commands.ts';
import { decideProcess } from '../../domain/process/decide.ts';
import { checkDefinition, isWaiting, type ProcessDefinition } from '../../domain/process/definition.ts';
import { evolveProcess } from '../../domain/process/evolve.ts';
import type { ProcessState } from '../../domain/process/state.ts';
import type { Refusal } from '../../domain/shared/decision.ts';
import { runDecider } from '../runtime/decider-loop.ts';
import { openRun, type Decider, type DeciderRun, type Rows } from '../runtime/decider.ts';
import { handleSignal, handleUpdate } from '../runtime/message-handlers.ts';
import type { FoundFact, ProcessRef } from './process.activities.ts';
import * as messages from './process.messages.ts';
import { nextMove, updateAlerts, type Run } from './process-runner.ts';
import { processShowing, viewOf, type ProcessKind } from './process.view.ts';
import { processRows } from './step-activity.ts';

const decider: Decider<ProcessKind> = {
  decide: (state, command, { now, settings: definition }) => decideProcess(definition, state, command, now),
  evolve: evolveProcess,
};

/** Makes the workflow of a declared process type; exported from `index.ts` under the workflow type's name. */
export function processWorkflow(
  definition: ProcessDefinition,
): (input: messages.ProcessInput) => Promise<messages.ProcessResult> {
  checkDefinition(definition);
  return async ({ tenantId, processId, carried }) => {
    const ref = { tenantId, processId, type: definition.type };
    const run = openRun(decider, carried?.refused);
    let isCancelled = false;
    let isReopened = false;
    handleMessages(run, definition);
    setHandler(defineSignal(REOPENED), () => {
      isReopened = true;
    });

    const hear = (fact: FoundFact | undefined): void => {
      if (fact !== undefined) run.queue.signal(fact.event, parseReceived(fact.event, fact.payload));
    };
    const rows = rowsOf(ref, definition, {
      hear,
      read: () => {
        isReopened = false;
      },
    });
    const ended = await runDecider(run, {
      rows,
      lifecycle: {
        begin: async () => {
          // A state handed on by the run before was alerted by that run.
          if (carried !== undefined) return { state: carried.state, revision: carried.revision, settings: definition };
          const loaded = await rows.load();
          if (loaded !== null) await updateAlerts(ref, loaded.state, { before: null, events: [] });
          return loaded;
        },
        next: (entity) => nextMove({ ref, hear }, entity),
        afterChange: async ({ state }, change) => updateAlerts(ref, state, change),
        cancel: () => {
          isCancelled = true;
          run.queue.signal('cancel', {
            ok: true,
            value: { type: 'cancel', by: 'temporal', reason: 'The workflow was cancelled.' },
          });
        },
        refusalAtEnd: (last): Refusal<ProcessRefusal> => ({
          code: 'process_closed',
          detail: `The process is ${last?.state.status ?? 'gone'}.`,
        }),
        continueAsNew: ({ state, revision }) =>
          continueAsNew<(next: messages.ProcessInput) => Promise<unknown>>({
            tenantId,
            processId,
            carried: { state, revision, refused: run.queue.refused },
          }),
      },
      showing: processShowing,
    });
    if (ended === null) throw ApplicationFailure.nonRetryable('There is no row of this process.', 'process_not_found');
    // Reopened since it read its row, as this execution was about to close: another run goes on from there.
    if (isReopened)
      return continueAsNew<(next: messages.ProcessInput) => Promise<messages.ProcessResult>>({ tenantId, processId });
    return resultOf(ended.state, isCancelled);
  };
}

function rowsOf(
  ref: ProcessRef,
  definition: ProcessDefinition,
  { hear, read }: Pick<Run, 'hear'> & { read: () => void },
): Rows<ProcessKind> {
  return {
    load: async () => {
      read();
      const loaded = await processRows.loadProcess(ref);
      if (loaded === null) return null;
      const { state, revision, fact } = loaded;
      hear(fact);
      return { state, revision, settings: definition };
    },
    save: async ({ state, revision, events }) => ({
      answer: await processRows.saveProcess({ ...ref, state, revision, events }),
      settings: definition,
    }),
  };
}

/** How the execution ends: as the process did, so that nobody reads a success where something is left to be undone. */
function resultOf({ status, cause }: ProcessState, isCancelled: boolean): messages.ProcessResult {
  if (status === 'cancelled' && isCancelled) throw new CancelledFailure('The process was cancelled and undone.');
  if (status !== 'abandoned') return { status, cause };
  throw ApplicationFailure.nonRetryable(
    'An operator closed the process with something left to be done or undone.',
    'process_abandoned',
    { status, cause },
  );
}

/** A skip is decided as it was when the execution took it first: before, it did nothing but go on. */
function asRecorded(parsed: ReturnType<typeof parseProcessCommand>): ReturnType<typeof parseProcessCommand> {
  if (!parsed.ok || parsed.value.type !== 'skipStep' || patched('skip-does-the-step')) return parsed;
  return { ok: true, value: { ...parsed.value, isBare: true } };
}

function handleMessages(run: DeciderRun<ProcessKind>, { steps }: ProcessDefinition): void {
  const view = (): messages.ProcessView | null => viewOf(run);
  type Parse = (payload: unknown) => ReturnType<typeof parseReceived>;
  const handle = (name: string, parse: Parse, take = parse): void => {
    handleSignal(run, { name }, take);
    handleUpdate(run, { name }, parse, view, take);
  };
  for (const name of PROCESS_COMMANDS) {
    const parse: Parse = (payload) => parseProcessCommand(name, payload);
    handle(name, parse, (payload) => asRecorded(parse(payload)));
  }
  for (const step of Object.values(steps))
    if (isWaiting(step)) handle(step.awaits, (payload) => parseReceived(step.awaits, payload));
  setHandler(messages.processStateQuery, view);
}
