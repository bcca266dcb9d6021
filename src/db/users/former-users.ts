import type pg from 'pg';
import type { TenantPool } from '../../postgres/pool.ts';
import { sql, type AnyTx } from '../../postgres/sql.ts';
import { runStatementIn } from '../../postgres/statement.ts';

/** For how long deletions of one identity are counted together. */
export const COUNTED_MS = 86_400_000;

/** When an identity's deleted users forbid another one. */
export interface FormerRule {
  readonly subjectHash: string;
  /** So many deletions, counted since `countedAfter` or later, forbid it. */
  readonly maxDeletions: number;
  readonly countedAfter: Date;
}

/** Keeps, of an identity whose user is deleted now, the deadline of its profile and how often that happened of late. */
export async function rememberFormer(
  tx: AnyTx,
  { tenantId, subjectHash }: { readonly tenantId: string; readonly subjectHash: string },
  { deadline, now }: { readonly deadline: Date | null; readonly now: Date },
): Promise<void> {
  await sql(
    tx,
    `INSERT INTO former_users AS f (tenant_id, subject_hash, profile_deadline, counted_since, deleted_at)
    VALUES ($1, $2, $3::timestamptz, $4::timestamptz, $4::timestamptz)
    ON CONFLICT (tenant_id, subject_hash) DO UPDATE SET profile_deadline = excluded.profile_deadline,
      deleted_at = excluded.deleted_at,
      deletions = CASE WHEN f.counted_since > $5::timestamptz THEN f.deletions + 1 ELSE 1 END,
      counted_since = CASE WHEN f.counted_since > $5::timestamptz THEN f.counted_since ELSE excluded.counted_since END`,
    [tenantId, subjectHash, deadline, now, new Date(now.getTime() - COUNTED_MS)],
  );
}

/** Until when an identity may not register again; undefined: it may, as far as its deleted users go. */
export async function refusedUntil(
  at: TenantPool | pg.ClientBase,
  tenantId: string,
  rule: FormerRule,
): Promise<Date | undefined> {
  const [row] = await runStatementIn<{ countedSince: Date }>(at, tenantId, {
    name: 'refused-former-user',
    text: `SELECT counted_since AS "countedSince" FROM former_users
      WHERE tenant_id = $1 AND subject_hash = $2 AND deletions >= $3 AND counted_since > $4`,
    values: [tenantId, rule.subjectHash, rule.maxDeletions, rule.countedAfter],
  });
  return row && new Date(row.countedSince.getTime() + COUNTED_MS);
}
