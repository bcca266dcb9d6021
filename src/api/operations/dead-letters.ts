import { z } from 'zod';
import { getDeadLetter, listDeadLetters, type DeadLetter } from '../../messaging/dead-letters/dead-letters.ts';
import type { Refusal } from '../../domain/shared/decision.ts';
import { isErrorCode } from '../http/error-catalogue.ts';
import { deadLetterAnswer, deadLetterFields, deadLetterSchema, replayReason, toFilter } from './dead-letter.schemas.ts';
import { Problem } from '../http/problem.ts';
import { route, type Call, type Route } from '../http/route.ts';
import { id, pageCursor, pageLimit, pageOf, readCursor, writeCursor } from '../http/values.ts';

const OPERATORS = ['operator', 'admin'] as const;
const byId = { tag: 'Dead letters', roles: OPERATORS, params: z.object({ id }) } as const;
const replaySchema = z.strictObject({
  outcome: z
    .enum(['replayed', 'failed'])
    .meta({ description: '`failed`: it failed again, and the dead letter has the new cause' }),
  deadLetter: deadLetterSchema,
});

const list = route(
  {
    method: 'get',
    path: '/dead-letters',
    operationId: 'listDeadLetters',
    tag: 'Dead letters',
    roles: OPERATORS,
    summary: "Lists what can't succeed by itself, newest first",
    query: z.strictObject({
      ...deadLetterFields,
      status: z.enum(['parked', 'replayed', 'discarded']).optional(),
      olderThanSeconds: z.coerce.number().min(0).max(1e9).optional(),
      limit: pageLimit,
      cursor: pageCursor.optional(),
    }),
    statuses: { 200: 'A page of dead letters' },
    answer: pageOf(deadLetterSchema),
    errors: [],
  },
  async ({ deps, caller, query: { limit, cursor, status, ...fields } }) => {
    const from = readCursor(cursor);
    const { items, next } = await deps.db.inTenant(caller.tenantId, (tx) =>
      listDeadLetters(tx, {
        tenantId: caller.tenantId,
        ...toFilter(fields),
        limit,
        ...(status === undefined ? {} : { status }),
        ...(from === undefined ? {} : { cursor: { parkedAt: from.at, id: from.id } }),
      }),
    );
    return {
      status: 200,
      body: {
        items: items.map(deadLetterAnswer),
        nextCursor: next === null ? null : writeCursor({ at: next.parkedAt, id: next.id }),
      },
    };
  },
);

const read = route(
  {
    ...byId,
    method: 'get',
    path: '/dead-letters/:id',
    operationId: 'getDeadLetter',
    summary: 'Reads a dead letter with its payload',
    statuses: { 200: 'The dead letter' },
    answer: deadLetterSchema,
    errors: ['dead_letter_not_found'],
  },
  async (call) => ({ status: 200, body: deadLetterAnswer(await find(call)) }),
);

const replay = route(
  {
    ...byId,
    method: 'post',
    path: '/dead-letters/:id/replay',
    operationId: 'replayDeadLetter',
    summary: 'Does once more what failed',
    description:
      'Of source `process` it reopens the process: that is parked again where it was abandoned, and takes the ' +
      'commands of `/processes/{id}`; what was done is not done again. It is refused once what the process has left ' +
      'over was settled.',
    body: replayReason.default({}),
    statuses: { 200: 'What became of it' },
    answer: replaySchema,
    idempotent: true,
    errors: [
      'dead_letter_not_found',
      'dead_letter_not_parked',
      'dead_letter_busy',
      'dead_letter_not_replayable',
      'process_not_found',
      'process_not_abandoned',
      'process_settled',
      'settlement_under_way',
    ],
  },
  async ({ deps, caller: { tenantId, subject }, params, body }) => {
    const result = await deps.replayer.replay(tenantId, params.id, subject, body.reason);
    switch (result.outcome) {
      case 'not_found':
        throw new Problem('dead_letter_not_found');
      case 'not_parked':
        throw new Problem('dead_letter_not_parked');
      case 'busy':
        throw new Problem('dead_letter_busy');
      case 'no_handler':
        throw new Problem('dead_letter_not_replayable');
      case 'refused':
        throw refusedReplay(result.refusal);
      default:
        return { status: 200, body: { outcome: result.outcome, deadLetter: deadLetterAnswer(result.deadLetter) } };
    }
  },
);

function refusedReplay({ code, detail }: Refusal): Error {
  return isErrorCode(code) ? new Problem(code, { detail }) : new Error(`a replay is refused with ${code}: ${detail}`);
}

async function find({ deps, caller, params }: Call<{ id: string }>): Promise<DeadLetter> {
  const found = await deps.db.inTenant(caller.tenantId, (tx) => getDeadLetter(tx, params.id));
  if (found === null) throw new Problem('dead_letter_not_found');
  return found;
}

/** Looking at dead letters, and replaying one. */
export const deadLetterRoutes: readonly Route[] = [list, read, replay];
