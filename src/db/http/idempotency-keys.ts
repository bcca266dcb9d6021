import { z } from 'zod';
import { sql, type AnyTx } from '../../postgres/sql.ts';
import { runStatement } from '../../postgres/statement.ts';
import type { TenantPool } from '../../postgres/pool.ts';

/** One request's claim of its `Idempotency-Key`. Times are durations, so that the database's clock alone counts. */
export interface IdempotencyClaim {
  readonly tenantId: string;
  readonly scope: string;
  readonly key: string;
  readonly fingerprint: string;
  /** Random: tells this claim from a later one of the same key. */
  readonly token: string;
  readonly lockMs: number;
  /** Older records count as gone. */
  readonly keepHours: number;
}

/** Whether the request is to be carried out, or what became of an earlier one with its key. */
export type Begun =
  | { readonly kind: 'begun' }
  | { readonly kind: 'other_body' }
  | { readonly kind: 'in_progress' }
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly body: string | undefined;
      readonly headers: Readonly<Record<string, string>>;
    };

const keptHeaders = z.record(z.string(), z.string());

/** The key as it was before the claim. */
interface HeldKey {
  readonly isClaimed: boolean;
  /** Null: there was no row, or another request inserted it this moment. */
  readonly fingerprint: string | null;
  readonly status: number | null;
  readonly body: string | null;
  readonly headers: unknown;
}

/** Claims the key; takes it over when its claim has lapsed or its answer is too old to count. */
export async function beginIdempotent(pool: TenantPool, claim: IdempotencyClaim): Promise<Begun> {
  const { tenantId, scope, key, fingerprint, token, lockMs, keepHours } = claim;
  const [held] = await runStatement<HeldKey>(pool, tenantId, {
    name: 'begin-idempotent',
    values: [tenantId, scope, key, fingerprint, token, lockMs / 1_000, keepHours],
    text: `
      WITH claimed AS (
        INSERT INTO idempotency_keys AS held (tenant_id, scope, key, fingerprint, token, locked_until, created_at)
        VALUES ($1, $2, $3, $4, $5::uuid, now() + make_interval(secs => $6), now())
        ON CONFLICT (tenant_id, scope, key) DO UPDATE
          SET fingerprint = excluded.fingerprint, token = excluded.token, locked_until = excluded.locked_until,
            created_at = now(),
            status = NULL, body = NULL, headers = NULL
          WHERE held.created_at < now() - make_interval(hours => $7)
            OR (held.status IS NULL AND held.locked_until < now() AND held.fingerprint = excluded.fingerprint)
        RETURNING key)
      SELECT EXISTS (SELECT FROM claimed) AS "isClaimed", held.fingerprint, held.status, held.body, held.headers
      FROM (SELECT) AS one LEFT JOIN idempotency_keys AS held ON held.tenant_id = $1 AND held.scope = $2
        AND held.key = $3`,
  });
  if (held?.isClaimed === true) return { kind: 'begun' };
  if (held === undefined || held.fingerprint === null) return { kind: 'in_progress' };
  if (held.fingerprint !== fingerprint) return { kind: 'other_body' };
  if (held.status === null) return { kind: 'in_progress' };
  return {
    kind: 'answered',
    status: held.status,
    body: held.body ?? undefined,
    headers: keptHeaders.parse(held.headers ?? {}),
  };
}

/** Keeps the answer; nothing happens when the claim was lost to a later one. */
export async function finishIdempotent(
  pool: TenantPool,
  { tenantId, scope, key, token }: IdempotencyClaim,
  {
    status,
    body,
    headers = {},
  }: { status: number; body: string | undefined; headers?: Readonly<Record<string, string>> | undefined },
): Promise<void> {
  await runStatement(pool, tenantId, {
    name: 'finish-idempotent',
    values: [tenantId, scope, key, token, status, body ?? null, JSON.stringify(headers)],
    text: `UPDATE idempotency_keys SET status = $5, body = $6, headers = $7::jsonb
      WHERE tenant_id = $1 AND scope = $2 AND key = $3 AND token = $4::uuid AND status IS NULL`,
  });
}

/** Removes the claim: the request failed, and a repetition may succeed. */
export async function releaseIdempotent(
  pool: TenantPool,
  { tenantId, scope, key, token }: IdempotencyClaim,
): Promise<void> {
  await runStatement(pool, tenantId, {
    name: 'release-idempotent',
    values: [tenantId, scope, key, token],
    text:
      'DELETE FROM idempotency_keys WHERE tenant_id = $1 AND scope = $2 AND key = $3 AND token = $4::uuid AND ' +
      'status IS NULL',
  });
}

/** Forgets the answers that name one of these ids or subjects, and scopes that do. */
export async function forgetIdempotencyOf(
  tx: AnyTx,
  { tenantId, named }: { tenantId: string; named: readonly string[] },
): Promise<void> {
  await sql(tx, 'SELECT forget_answers($1, $2::text[])::text', [tenantId, [...named]]);
}
