import { LOGS_ARE_OWN, type LogCursor, type LogPool } from './log.ts';

/** One process as a member of a reader; the members share the reader's partitions. */
export interface Member {
  readonly reader: string;
  readonly member: string;
}

/** A partition and where its reader stands in it. */
export interface PartitionCursor {
  readonly partition: number;
  readonly cursor: LogCursor;
}

// Locked in one order, so that two statements of one member can't wait for each other.
const OWN_ROWS = `own AS MATERIALIZED (
  SELECT partition FROM log_cursors
  WHERE reader = $1 AND lease_owner = $2 AND partition = ANY($3::int[])
  ORDER BY partition FOR UPDATE)`;

/**
 * Prolongs the membership by `leaseMs` and returns all live members, sorted, so that each computes the same shares.
 */
export async function keepMembership(
  pool: LogPool,
  { reader, member, leaseMs }: Member & { leaseMs: number },
): Promise<string[]> {
  await pool.query(
    `
    INSERT INTO leases (name, owner, expires_at) VALUES ($1, $2, now() + $3 * interval '1 ms')
    ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at`,
    [memberName({ reader, member }), member, leaseMs],
  );
  const { rows } = await pool.query<{ owner: string }>(
    `
    WITH expired AS (DELETE FROM leases WHERE starts_with(name, $1) AND expires_at <= now())
    SELECT owner FROM leases WHERE starts_with(name, $1) AND expires_at > now() ORDER BY owner COLLATE "C"`,
    [memberName({ reader, member: '' })],
  );
  return rows.map(({ owner }) => owner);
}

/** Ends the membership, so that the others need not wait until it lapses. */
export async function endMembership(pool: LogPool, { reader, member }: Member): Promise<void> {
  await pool.query('DELETE FROM leases WHERE name = $1', [memberName({ reader, member })]);
}

/**
 * Leases the partitions that nobody holds for `leaseMs`, and returns the cursor of each. None while the logs are
 * another cluster's, even for a process that has run since before the restore.
 */
export async function acquirePartitions(
  pool: LogPool,
  { reader, member, partitions, leaseMs }: Member & { partitions: readonly number[]; leaseMs: number },
): Promise<PartitionCursor[]> {
  if (partitions.length === 0) return [];
  const { rows } = await pool.query<{ partition: number; epoch: number; xid: string; position: string }>(
    `
    INSERT INTO log_cursors AS c (reader, partition, lease_owner, lease_until)
    SELECT $1, partition, $2, now() + $4 * interval '1 ms' FROM unnest($3::int[]) AS partition
    WHERE (${LOGS_ARE_OWN}) ORDER BY partition
    ON CONFLICT (reader, partition) DO UPDATE SET
      lease_owner = excluded.lease_owner, lease_until = excluded.lease_until, updated_at = now(), abandoned_at = NULL
      WHERE c.lease_owner IS NULL OR c.lease_owner = excluded.lease_owner OR c.lease_until <= now()
    RETURNING partition, epoch, xid::text AS xid, position::text AS position`,
    [reader, member, partitions, leaseMs],
  );
  return rows.map(({ partition, epoch, xid, position }) => ({ partition, cursor: { epoch, xid, position } }));
}

/**
 * Prolongs the leases by `leaseMs` and returns the partitions that are still the member's. It also keeps the cursors of
 * an idle reader from being pruned (prune-cursors.ts).
 */
export async function renewPartitions(
  pool: LogPool,
  { reader, member, partitions, leaseMs }: Member & { partitions: readonly number[]; leaseMs: number },
): Promise<number[]> {
  if (partitions.length === 0) return [];
  const { rows } = await pool.query<{ partition: number }>(
    `
    WITH ${OWN_ROWS}
    UPDATE log_cursors AS c SET lease_until = now() + $4 * interval '1 ms', updated_at = now()
    FROM own WHERE c.reader = $1 AND c.partition = own.partition AND (${LOGS_ARE_OWN})
    RETURNING c.partition`,
    [reader, member, partitions, leaseMs],
  );
  return rows.map(({ partition }) => partition);
}

/**
 * Saves the member's cursors, and returns the partitions whose lease and epoch were still its own; for the others
 * nothing was saved.
 */
export async function saveCursors(
  pool: LogPool,
  { reader, member, cursors, release }: Member & { cursors: readonly PartitionCursor[]; release: boolean },
): Promise<number[]> {
  if (cursors.length === 0) return [];
  const { rows } = await pool.query<{ partition: number }>(
    `
    WITH ${OWN_ROWS}
    UPDATE log_cursors AS c SET xid = n.xid, position = n.position, updated_at = now(),
      lease_owner = CASE WHEN $7 THEN NULL ELSE c.lease_owner END, lease_until = CASE WHEN $7 THEN NULL
        ELSE c.lease_until END
    FROM own JOIN unnest($3::int[], $4::int[], $5::xid8[], $6::bigint[]) AS n (partition, epoch, xid, position)
      ON n.partition = own.partition
    WHERE c.reader = $1 AND c.partition = own.partition AND c.epoch = n.epoch
    RETURNING c.partition`,
    [reader, member, ...columnsOf(cursors), release],
  );
  return rows.map(({ partition }) => partition);
}

function columnsOf(cursors: readonly PartitionCursor[]): [number[], number[], string[], string[]] {
  return [
    cursors.map(({ partition }) => partition),
    cursors.map(({ cursor }) => cursor.epoch),
    cursors.map(({ cursor }) => cursor.xid),
    cursors.map(({ cursor }) => cursor.position),
  ];
}

function memberName({ reader, member }: Member): string {
  return `log-reader:${reader}:${member}`;
}
