import { z } from 'zod';
import { discardDeadLetters, getDeadLetter, listDeadLetters } from '../../messaging/dead-letters/dead-letters.ts';
import { deadLetterAnswer, deadLetterFilter, deadLetterSchema, replayReason, toFilter } from './dead-letter.schemas.ts';
import { Problem } from '../http/problem.ts';
import { route, type Route } from '../http/route.ts';
import { id, pageCursor, readCursor, trimmedText, writeCursor } from '../http/values.ts';

const OPERATORS = ['operator', 'admin'] as const;
/** Well below the time-outs of proxies and of an Idempotency-Key's claim; the replay under way is finished. */
const BULK_REPLAY_MS = 20_000;
const reason = trimmedText(1_000).meta({ description: 'Why it needs no replay', example: 'The user was deleted' });

const discard = route(
  {
    method: 'post',
    path: '/dead-letters/:id/discard',
    operationId: 'discardDeadLetter',
    tag: 'Dead letters',
    roles: OPERATORS,
    summary: 'Settles it without a replay',
    description:
      'Of source `process` the process stays abandoned, and what it has left over stays as it is: that is settled by ' +
      '`/processes/{id}/settle`, before or after.',
    params: z.object({ id }),
    body: z.strictObject({ reason }),
    statuses: { 200: 'The dead letter as it is now' },
    answer: deadLetterSchema,
    idempotent: true,
    errors: ['dead_letter_not_found', 'dead_letter_not_parked'],
  },
  async ({ deps, caller: { tenantId, subject }, params, body }) => {
    const { count, deadLetter } = await deps.db.inTenant(tenantId, async (tx) => ({
      count: await discardDeadLetters(tx, { tenantId, ids: [params.id] }, { by: subject, reason: body.reason }),
      deadLetter: await getDeadLetter(tx, params.id),
    }));
    if (deadLetter === null) throw new Problem('dead_letter_not_found');
    if (count === 0) throw new Problem('dead_letter_not_parked');
    return { status: 200, body: deadLetterAnswer(deadLetter) };
  },
);

const replayMany = route(
  {
    method: 'post',
    path: '/dead-letters/replay',
    operationId: 'replayDeadLetters',
    tag: 'Dead letters',
    roles: OPERATORS,
    summary:
      'Replays what is parked and matches, oldest first, up to a limit and for 20 s; repeat it with `nextCursor` ' +
      'until that is null',
    body: replayReason.extend({
      filter: deadLetterFilter,
      limit: z.number().int().min(1).max(100).default(100),
      cursor: pageCursor.optional(),
    }),
    statuses: { 200: 'What became of them' },
    answer: z.strictObject({
      replayed: z.number().int(),
      failed: z.number().int(),
      skipped: z.number().int().meta({
        description: 'In the hands of others, without a way to replay, or processes that can not be reopened',
      }),
      nextCursor: z.string().nullable().meta({ description: 'Goes on after what was tried; null: everything was' }),
    }),
    idempotent: true,
    errors: [],
  },
  async ({ deps, caller: { tenantId, subject }, body: { filter, limit, cursor, reason: why } }) => {
    const from = readCursor(cursor);
    const { items, next } = await deps.db.inTenant(tenantId, (tx) =>
      listDeadLetters(tx, {
        tenantId,
        ...toFilter(filter),
        status: 'parked',
        limit,
        order: 'asc',
        ...(from === undefined ? {} : { cursor: { parkedAt: from.at, id: from.id } }),
      }),
    );
    const counts = { replayed: 0, failed: 0, skipped: 0 };
    const deadlineMs = performance.now() + BULK_REPLAY_MS;
    // Oldest first and one after the other: those of one key keep their order.
    for (const [index, { id: letterId, parkedAt }] of items.entries()) {
      const { outcome } = await deps.replayer.replay(tenantId, letterId, subject, why);
      counts[outcome === 'replayed' || outcome === 'failed' ? outcome : 'skipped'] += 1;
      const isLast = index === items.length - 1;
      if (!isLast && performance.now() > deadlineMs)
        return { status: 200, body: { ...counts, nextCursor: writeCursor({ at: parkedAt, id: letterId }) } };
    }
    return {
      status: 200,
      body: { ...counts, nextCursor: next === null ? null : writeCursor({ at: next.parkedAt, id: next.id }) },
    };
  },
);

const discardMany = route(
  {
    method: 'post',
    path: '/dead-letters/discard',
    operationId: 'discardDeadLetters',
    tag: 'Dead letters',
    roles: OPERATORS,
    summary: 'Settles what is parked and matches, without a replay',
    body: z.strictObject({ filter: deadLetterFilter, reason }),
    statuses: { 200: 'How many' },
    answer: z.strictObject({ discarded: z.number().int() }),
    idempotent: true,
    errors: [],
  },
  async ({ deps, caller: { tenantId, subject }, body }) => {
    const discarded = await deps.db.inTenant(tenantId, (tx) =>
      discardDeadLetters(tx, { tenantId, ...toFilter(body.filter) }, { by: subject, reason: body.reason }),
    );
    return { status: 200, body: { discarded } };
  },
);

/** Settling dead letters, one or many. */
export const deadLetterCommandRoutes: readonly Route[] = [replayMany, discardMany, discard];
