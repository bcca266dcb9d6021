import { z } from 'zod';
import type { DeadLetter, DeadLetterFilter } from '../../messaging/dead-letters/dead-letters.ts';
import { id, instant, notEmpty, nullableInstant, text, trimmedText } from '../http/values.ts';

const name = text(200).optional();

/** What dead letters are found by. */
export const deadLetterFields = {
  source: name.meta({ description: 'Part that parked it', example: 'sync-confirmations' }),
  type: name.meta({ description: 'Topic, workflow type, kind of notification or type of process' }),
  cause: name.meta({ description: 'Code; /docs/errors explains it', example: 'unknown_user' }),
};

/** Which parked dead letters a bulk command is about; an empty filter would be all of them. */
export const deadLetterFilter = notEmpty(
  z.strictObject({
    ids: z.array(id).min(1).max(100).optional(),
    ...deadLetterFields,
    olderThanSeconds: z.number().min(0).max(1e9).optional(),
  }),
).meta({ id: 'DeadLetterFilter' });

/** Why it is replayed; the history of a process that is reopened keeps it. */
export const replayReason = z.strictObject({
  reason: trimmedText(500).optional().meta({
    description: 'Kept, of a process in its history too, hence without personal data',
    example: 'The warehouse answers again',
  }),
});

/** A dead letter, as answers have it. */
export const deadLetterSchema = z
  .strictObject({
    id,
    source: z.string(),
    type: z.string(),
    cause: z.string(),
    detail: z.string(),
    messageId: z.string(),
    key: z.string(),
    payload: z.string().meta({
      description: 'What was to be done; of source `process`: where the process was abandoned, why, and by whom',
    }),
    status: z.enum(['parked', 'replayed', 'discarded']),
    replays: z.number().int(),
    parkedAt: instant,
    resolvedAt: nullableInstant,
    resolvedBy: z.string().nullable(),
    reason: z.string().nullable(),
  })
  .meta({ id: 'DeadLetter' });

/** The filter as the database functions take it. */
export function toFilter({
  ids,
  source,
  type,
  cause,
  olderThanSeconds,
}: {
  ids?: readonly string[] | undefined;
  source?: string | undefined;
  type?: string | undefined;
  cause?: string | undefined;
  olderThanSeconds?: number | undefined;
}): DeadLetterFilter {
  return {
    ...(ids === undefined ? {} : { ids }),
    ...(source === undefined ? {} : { source }),
    ...(type === undefined ? {} : { type }),
    ...(cause === undefined ? {} : { cause }),
    ...(olderThanSeconds === undefined ? {} : { olderThanMs: olderThanSeconds * 1_000 }),
  };
}

/** The dead letter as answers have it. */
export function deadLetterAnswer(row: DeadLetter): z.input<typeof deadLetterSchema> {
  return {
    id: row.id,
    source: row.source,
    type: row.type,
    cause: row.cause,
    detail: row.detail,
    messageId: row.messageId,
    key: row.key,
    payload: row.payload,
    status: row.status,
    replays: row.replays,
    parkedAt: row.parkedAt.toISOString(),
    resolvedAt: row.resolvedAt?.toISOString() ?? null,
    resolvedBy: row.resolvedBy,
    reason: row.reason,
  };
}
