import { randomUUIDv7 } from 'node:crypto';
import { toStorableText } from '../../domain/shared/text.ts';
import { keyedPage, pageByTime, readInOrder } from '../../postgres/keyed-page.ts';
import type { SystemDb, Tx } from '../../postgres/client.ts';
import { sql, type AnyTx } from '../../postgres/sql.ts';
import type { DeadLetter, DeadLetterStatus, Prisma } from '../../postgres/generated/client.ts';

export type { DeadLetter, DeadLetterStatus } from '../../postgres/generated/client.ts';

const MAX_DETAIL_LENGTH = 2_000;
const ALL_OF_THEM = 2_147_483_647;
/** An entry of an index has 2,704 bytes at most, and a character up to three. */
const MAX_KEY_LENGTH = 800;
/** More than any message that the bus takes by default; the table has a limit in bytes that this never exceeds. */
const MAX_PAYLOAD_LENGTH = 2_000_000;

/** Who decides about a dead letter, and why; null: no reason was given. */
export interface DecidedBy {
  readonly by: string;
  readonly reason: string | null;
}

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
export async function parkDeadLetter(tx: AnyTx, message: FailedMessage): Promise<void> {
  const { tenantId, source, type, cause, messageId } = message;
  const key = toStorableText(message.key, MAX_KEY_LENGTH);
  const payload = toStorableText(message.payload, MAX_PAYLOAD_LENGTH);
  const detail = toStorableText(message.detail, MAX_DETAIL_LENGTH);
  await sql(tx, PARK, [tenantId, randomUUIDv7(), source, type, cause, detail, messageId, key, payload]);
}

const PARK = `
    INSERT INTO dead_letters AS d (tenant_id, id, source, type, cause, detail, message_id, key, payload)
    VALUES ($1, $2::uuid, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (tenant_id, source, message_id) DO UPDATE SET
      type = excluded.type, cause = excluded.cause, detail = excluded.detail, key = excluded.key,
        payload = excluded.payload,
      parked_at = CASE WHEN d.status = 'parked' THEN d.parked_at ELSE excluded.parked_at END,
      status = 'parked', resolved_at = NULL, resolved_by = NULL, reason = NULL`;

/** Settles a parked dead letter as replayed, in the transaction of what that does; false: it is parked no longer. */
export async function settleReplayed(
  tx: AnyTx,
  { tenantId, id }: Pick<DeadLetter, 'tenantId' | 'id'>,
  { by, reason }: DecidedBy,
): Promise<boolean> {
  const settled = await sql(
    tx,
    `UPDATE dead_letters
      SET status = 'replayed', replays = replays + 1, resolved_at = now(), resolved_by = $3, reason = $4
      WHERE tenant_id = $1 AND id = $2::uuid AND status::text = 'parked' RETURNING id::text`,
    [tenantId, id, by, reason],
  );
  return settled.length > 0;
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

/** What to list, from where on. */
export interface DeadLetterListQuery extends DeadLetterFilter {
  /** Without it, whatever the transaction sees is listed, and read, too. */
  readonly tenantId?: string;
  readonly limit: number;
  readonly cursor?: DeadLetterCursor;
  readonly order?: 'asc' | 'desc';
}

/** Lists dead letters, newest first unless `order` says otherwise. */
export async function listDeadLetters(tx: Tx, query: DeadLetterListQuery): Promise<DeadLetterPage> {
  const { tenantId, limit, order = 'desc' } = query;
  const where: Prisma.DeadLetterWhereInput =
    tenantId === undefined
      ? { AND: [matching(query), beyond(query)] }
      : { tenantId, id: { in: await findDeadLetters(tx, { ...query, tenantId, limit: limit + 1 }) } };
  const rows = await tx.deadLetter.findMany({
    where,
    orderBy: [{ parkedAt: order }, { id: order }],
    take: limit + 1,
  });
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? { parkedAt: last.parkedAt, id: last.id } : null };
}

function beyond({ cursor, order }: DeadLetterListQuery): Prisma.DeadLetterWhereInput {
  if (cursor === undefined) return {};
  const isBeyond = <Value>(value: Value) => (order === 'asc' ? { gt: value } : { lt: value });
  return { OR: [{ parkedAt: isBeyond(cursor.parkedAt) }, { parkedAt: cursor.parkedAt, id: isBeyond(cursor.id) }] };
}

async function findDeadLetters(tx: Tx, query: DeadLetterListQuery & { readonly tenantId: string }): Promise<string[]> {
  const { tenantId, limit, cursor, order, status, source, type, cause, ids, olderThanMs } = query;
  if (ids !== undefined) {
    const named = await tx.deadLetter.findMany({
      where: { tenantId, AND: [matching(query), beyond(query)] },
      select: { id: true },
    });
    return named.map(({ id }) => id);
  }
  const {
    conditions = [],
    values = [],
    ...page
  } = pageByTime(['parked_at', 'id'], cursor && { at: cursor.parkedAt, id: cursor.id }, order);
  const asked = [status, source, type, cause];
  return keyedPage(tx, {
    ...page,
    table: 'dead_letters',
    tenantId,
    matches: (key) => asked.every((word, place) => word === undefined || word === key[place]),
    conditions: [...conditions, `parked_at <= $${values.length + 3}::timestamptz`],
    values: [...values, olderThanMs === undefined ? 'infinity' : new Date(Date.now() - olderThanMs)],
    limit,
  });
}

/** One dead letter of the transaction's tenant. */
export async function getDeadLetter(tx: Tx, id: string): Promise<DeadLetter | null> {
  return await tx.deadLetter.findFirst({ where: { id } });
}

/** Discards every parked dead letter that matches; returns their number. */
export async function discardDeadLetters(
  tx: Tx,
  filter: Omit<DeadLetterFilter, 'status'> & { readonly tenantId: string },
  { by, reason }: { readonly by: string; readonly reason: string },
): Promise<number> {
  const { tenantId } = filter;
  const ids = await findDeadLetters(tx, { ...filter, status: 'parked', limit: ALL_OF_THEM });
  // The status as text: an index of what is parked would be read for the whole tenant.
  return await tx.$executeRaw`
    UPDATE dead_letters SET status = 'discarded', resolved_at = now(), resolved_by = ${by}, reason = ${reason}
    WHERE tenant_id = ${tenantId} AND id = ANY(${ids}::uuid[]) AND status::text = 'parked'`;
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
  db: SystemDb,
  threshold: number,
): Promise<readonly { tenantId: string; source: string; parked: number; oldest: Date | null }[]> {
  return db.acrossTenants(async (tx) => {
    await readInOrder(tx);
    return sql(
      tx,
      `SELECT deep.tenant_id AS "tenantId", deep.source, deep.parked, (SELECT parked_at FROM dead_letters AS d
          WHERE d.tenant_id = deep.tenant_id AND d.source = deep.source AND d.status = 'parked'
          ORDER BY parked_at LIMIT 1) AS oldest
        FROM (SELECT tenant_id, key AS source, sum(count)::float8 AS parked FROM row_counts
          WHERE counted = 'dead_letters' AND tenant_id <> '*' GROUP BY 1, 2) AS deep
        WHERE deep.parked >= $1 AND deep.parked > 0`,
      [threshold],
    );
  });
}
