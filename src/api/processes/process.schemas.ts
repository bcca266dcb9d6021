import { z } from 'zod';
import type { ProcessEventRow, ProcessStateRow } from '../../db/processes/process-list.ts';
import { processType } from '../../domain/process/registry.ts';
import { isWaiting, stepOf } from '../../domain/process/definition.ts';
import { PROCESS_STATUSES, STEP_STATUSES } from '../../domain/process/statuses.ts';
import { stepsAhead } from '../../domain/process/timeline.ts';
import { isoTime, isoTimeOrNull } from '../../domain/shared/time.ts';
import { id, instant, nullableInstant } from '../http/values.ts';
import { leftOverSchema } from './left-over.schema.ts';

/** Statuses of processes as the API spells them. */
export const processStatus = z.enum(PROCESS_STATUSES);
/** Name of a type of process. */
export const processName = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'must be lower-case letters, digits and _');
/** Name of a step; of a routing slip's, behind its number. */
export const stepName = z
  .string()
  .regex(
    /^([1-9][0-9]{0,2}:)?[a-z][a-z0-9_]{0,62}$/,
    'must be lower-case letters, digits and _, behind a number and : where it is that of a leg',
  );

const text = z.record(z.string(), z.unknown());
/** Why a step or an undo failed. */
export const processCause = z
  .strictObject({
    code: z.string(),
    message: z.string(),
    class: z
      .enum(['transient', 'refused', 'unknown'])
      .meta({ description: '`refused`: nothing took effect; `unknown`: it may have' }),
  })
  .meta({ id: 'ProcessCause' });
const cause = processCause;

// Rows keep times as milliseconds since the epoch, answers have instants.
const storedDecided = z.object({ command: z.string(), by: z.string(), reason: z.string().nullable(), at: z.number() });
const storedStep = z.object({
  step: z.string(),
  status: z.enum(STEP_STATUSES),
  attempts: z.number(),
  startedAt: z.number(),
  completedAt: z.number().nullable(),
  result: text.nullable(),
  error: cause.nullable(),
  decided: storedDecided.nullable(),
  compensation: z
    .object({
      attempts: z.number(),
      startedAt: z.number(),
      completedAt: z.number().nullable(),
      error: cause.nullable(),
    })
    .nullable(),
});

const decided = z
  .strictObject({ command: z.string(), by: z.string(), reason: z.string().nullable(), at: instant })
  .meta({ id: 'ProcessDecision' });
const stepSchema = z
  .strictObject({
    step: z.string(),
    kind: z.enum(['acts', 'waits']),
    isPivot: z.boolean().meta({ description: 'Once it is done nothing is undone any more' }),
    status: z.enum(STEP_STATUSES).meta({ description: 'Steps still to come are `pending`' }),
    attempts: z.number().int().meta({ description: 'Of a step that waits: how often operators were reminded' }),
    startedAt: nullableInstant,
    completedAt: nullableInstant,
    result: text.nullable(),
    error: cause.nullable(),
    compensation: z
      .strictObject({
        attempts: z.number().int(),
        startedAt: instant,
        completedAt: nullableInstant,
        error: cause.nullable(),
      })
      .nullable(),
    decided: decided.nullable().meta({ description: 'What somebody decided in place of the process' }),
  })
  .meta({ id: 'ProcessStep' });

const summary = {
  id,
  type: z.string(),
  status: processStatus,
  currentStep: z.string().nullable(),
  workflowId: z.string(),
  cause: cause.nullable().meta({ description: 'Why it turned back' }),
  retry: z
    .strictObject({ attempts: z.number().int(), error: cause.nullable(), retryAt: nullableInstant })
    .nullable()
    .meta({ description: 'The step under way has failed so often, for this cause, and is tried again then' }),
  dueAt: nullableInstant.meta({ description: 'When time alone changes something' }),
  startedAt: instant,
  updatedAt: instant,
};

/** A process in a list. */
export const processSummarySchema = z.strictObject(summary).meta({ id: 'ProcessSummary' });

/** A process with all that happened in it. */
export const processSchema = z
  .strictObject({
    ...summary,
    cancelled: decided.nullable().meta({ description: 'Who asked to cancel it' }),
    leftOver: leftOverSchema,
    data: text,
    steps: z.array(stepSchema),
    events: z.array(
      z.strictObject({
        sequence: z.number().int(),
        at: instant,
        type: z.string(),
        step: z.string().nullable(),
        detail: text,
      }),
    ),
  })
  .meta({ id: 'Process' });

/** The process as a list has it. */
export function processSummary(row: ProcessStateRow): z.input<typeof processSummarySchema> {
  const error = cause.nullable().parse(row.lastError);
  return {
    id: row.processId,
    type: row.processType,
    status: row.status,
    currentStep: row.currentStep,
    workflowId: row.workflowId,
    cause: cause.nullable().parse(row.cause),
    retry:
      row.attempts === 0 && error === null
        ? null
        : { attempts: row.attempts, error, retryAt: row.retryAt?.toISOString() ?? null },
    dueAt: row.dueAt?.toISOString() ?? null,
    startedAt: row.startedAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

/** The whole timeline of a process. */
export function processAnswer(
  row: ProcessStateRow & { readonly events: readonly ProcessEventRow[] },
  leftOver: z.input<typeof leftOverSchema>,
): z.input<typeof processSchema> {
  const cancelled = storedDecided.nullable().parse(row.cancelled);
  return {
    ...processSummary(row),
    cancelled: cancelled === null ? null : decidedAnswer(cancelled),
    leftOver,
    data: text.parse(row.data),
    steps: stepsOf(row),
    events: row.events.map(({ sequence, at, type, step, detail }) => ({
      sequence,
      at: at.toISOString(),
      type,
      step,
      detail: text.parse(detail),
    })),
  };
}

type StepAnswer = z.input<typeof stepSchema>;

function stepsOf(row: ProcessStateRow): StepAnswer[] {
  const definition = processType(row.processType);
  const data = text.parse(row.data);
  const declared = (step: string): Pick<StepAnswer, 'step' | 'kind' | 'isPivot'> => {
    const found = stepOf(definition, step, data);
    return { step, kind: isWaiting(found) ? 'waits' : 'acts', isPivot: !isWaiting(found) && found.isPivot === true };
  };
  const taken = z
    .array(storedStep)
    .parse(row.history)
    .map(({ step, startedAt, completedAt, decided: by, compensation, ...rest }): StepAnswer => ({
      ...declared(step),
      ...rest,
      startedAt: isoTime(startedAt),
      completedAt: isoTimeOrNull(completedAt),
      decided: by === null ? null : decidedAnswer(by),
      compensation:
        compensation === null
          ? null
          : {
              ...compensation,
              startedAt: isoTime(compensation.startedAt),
              completedAt: isoTimeOrNull(compensation.completedAt),
            },
    }));
  const ahead = stepsAhead(definition, {
    status: row.status,
    currentStep: row.currentStep,
    cause: cause.nullable().parse(row.cause),
    data,
  });
  return [
    ...taken,
    ...ahead.map((step): StepAnswer => ({
      ...declared(step),
      status: 'pending',
      attempts: 0,
      startedAt: null,
      completedAt: null,
      result: null,
      error: null,
      compensation: null,
      decided: null,
    })),
  ];
}

function decidedAnswer({ at, ...rest }: z.output<typeof storedDecided>): z.input<typeof decided> {
  return { ...rest, at: isoTime(at) };
}
