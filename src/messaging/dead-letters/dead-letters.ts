import { randomUUID } from 'node:crypto';
import { toStorableText } from '../../domain/shared/text.ts';
import { ALL_TENANTS, type Db, type Tx } from '../../postgres/client.ts';
import type { DeadLetter, DeadLetterStatus, Prisma } from '../../postgres/generated/client.ts';

export type { DeadLetter, DeadLetterStatus } from '../../postgres/generated/client.ts';

const MAX_DETAIL_LENGTH = 2_000;

/** What can't succeed by itself, to be kept for an operator. */
export interface FailedMessage {
  readonly tenantId: string;
  /** Name of the part that parked it; a replay is handled by the same part. */
  readonly source: string;
  readonly type: string;
  /** Code from the error catalogue. */
  readonly cause: string;
  readonly detail: string;
  readonly messageId: string;
  readonly key: string;
  readonly payload: string;
}

/** Parks a message. One that was replayed or discarded before is parked again; one still parked gets the new cause. */
export async function parkDeadLetter(tx: Tx, message: FailedMessage): Promise<void> {
  const { tenantId, source, type, cause, messageId, key } = message;
  const detail = toStorableText(message.detail, MAX_DETAIL_LENGTH);
  await tx.$executeRaw`
    INSERT INTO dead_letters AS d (tenant_id, id, source, type, cause, detail, message_id, key, payload)
    VALUES (${tenantId}, ${randomUUID()}::uuid, ${source}, ${type}, ${cause}, ${detail}, ${messageId}, ${key},
      ${toStorableText(message.payload)})
    ON CONFLICT (tenant_id, source, message_id) DO UPDATE SET
      type = excluded.type, cause = excluded.cause, detail = excluded.detail, key = excluded.key,
        payload = excluded.payload,
      parked_at = CASE WHEN d.status = 'parked' THEN d.parked_at ELSE excluded.parked_at END,
      status = 'parked', resolved_at = NULL, resolved_by = NULL, reason = NULL`;
}

/** Which dead letters; what is left out does not matter. */
export interface DeadLetterFilter {
  readonly ids?: readonly string[];
  readonly source?: string;
  readonly type?: string;
  readonly cause?: string;
  readonly status?: DeadLetterStatus;
  /** Parked at least this long ago. */
  readonly olderThanMs?: number;
}

/** Place in the list: the last one of the page before. */
export interface DeadLetterCursor {
  readonly parkedAt: Date;
  readonly id: string;
}

/** One page. */
export interface DeadLetterPage {
  readonly items: readonly DeadLetter[];
  /** Null: there are no more. */
  readonly next: DeadLetterCursor | null;
}

/** Lists the dead letters that the transaction's tenant has, newest first unless `order` says otherwise. */
export async function listDeadLetters(
  tx: Tx,
  {
    limit,
    cursor,
    order = 'desc',
    ...filter
  }: DeadLetterFilter & { readonly limit: number; readonly cursor?: DeadLetterCursor; readonly order?: 'asc' | 'desc' },
): Promise<DeadLetterPage> {
  const beyond = <Value>(value: Value) => (order === 'asc' ? { gt: value } : { lt: value });
  const after: Prisma.DeadLetterWhereInput =
    cursor === undefined
      ? {}
      : {
          OR: [{ parkedAt: beyond(cursor.parkedAt) }, { parkedAt: cursor.parkedAt, id: beyond(cursor.id) }],
        };
  const rows = await tx.deadLetter.findMany({
    where: { AND: [matching(filter), after] },
    orderBy: [{ parkedAt: order }, { id: order }],
    take: limit + 1,
  });
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? { parkedAt: last.parkedAt, id: last.id } : null };
}

/** One dead letter of the transaction's tenant. */
export async function getDeadLetter(tx: Tx, id: string): Promise<DeadLetter | null> {
  return await tx.deadLetter.findFirst({ where: { id } });
}

/** Discards every parked dead letter that matches; returns their number. */
export async function discardDeadLetters(
  tx: Tx,
  filter: Omit<DeadLetterFilter, 'status'>,
  { by, reason }: { readonly by: string; readonly reason: string },
): Promise<number> {
  const { count } = await tx.deadLetter.updateMany({
    where: matching({ ...filter, status: 'parked' }),
    data: { status: 'discarded', resolvedAt: new Date(), resolvedBy: by, reason },
  });
  return count;
}

function matching({ ids, source, type, cause, status, olderThanMs }: DeadLetterFilter): Prisma.DeadLetterWhereInput {
  return {
    ...(ids === undefined ? {} : { id: { in: [...ids] } }),
    ...(source === undefined ? {} : { source }),
    ...(type === undefined ? {} : { type }),
    ...(cause === undefined ? {} : { cause }),
    ...(status === undefined ? {} : { status }),
    ...(olderThanMs === undefined ? {} : { parkedAt: { lte: new Date(Date.now() - olderThanMs) } }),
  };
}

/** How many dead letters wait for somebody, by tenant and source, and since when the oldest does. */
export async function countParked(
  db: Db,
): Promise<readonly { tenantId: string; source: string; parked: number; oldest: Date | null }[]> {
  const rows = await db.inTenant(ALL_TENANTS, (tx) =>
    tx.deadLetter.groupBy({
      by: ['tenantId', 'source'],
      where: { status: 'parked' },
      _count: { _all: true },
      _min: { parkedAt: true },
    }),
  );
  return rows.map(({ tenantId, source, _count, _min }) => ({
    tenantId,
    source,
    parked: _count._all,
    oldest: _min.parkedAt,
  }));
}
