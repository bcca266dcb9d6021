import { z } from 'zod';
import type { Tx } from './client.ts';

/** One request's hold on its `Idempotency-Key`. Times are spans, so that the database's clock alone counts. */
export interface IdempotencyClaim {
  readonly tenantId: string;
  readonly scope: string;
  readonly key: string;
  readonly fingerprint: string;
  /** Random: tells this holder from a later one. */
  readonly token: string;
  readonly lockMs: number;
  /** Older records count as gone. */
  readonly keepHours: number;
}

/** Whether the request is to be carried out, or what its key says already. */
export type Begun =
  | { readonly kind: 'begun' }
  | { readonly kind: 'other_body' }
  | { readonly kind: 'in_progress' }
  | { readonly kind: 'answered'; readonly status: number; readonly body: string | undefined; readonly headers: Readonly<Record<string, string>> };

const keptHeaders = z.record(z.string(), z.string());

/** Claims the key, also from a holder that died or when the record is past its time. */
export async function beginIdempotent(tx: Tx, claim: IdempotencyClaim): Promise<Begun> {
  const { tenantId, scope, key, fingerprint, token, lockMs, keepHours } = claim;
  const claimed = await tx.$executeRaw`
    INSERT INTO idempotency_keys AS held (tenant_id, scope, key, fingerprint, token, locked_until, created_at)
    VALUES (${tenantId}, ${scope}, ${key}, ${fingerprint}, ${token}::uuid, now() + make_interval(secs => ${lockMs / 1_000}), now())
    ON CONFLICT (tenant_id, scope, key) DO UPDATE
      SET fingerprint = excluded.fingerprint, token = excluded.token, locked_until = excluded.locked_until, created_at = now(),
        status = NULL, body = NULL, headers = NULL
      WHERE held.created_at < now() - make_interval(hours => ${keepHours}::int)
        OR (held.status IS NULL AND held.locked_until < now() AND held.fingerprint = excluded.fingerprint)`;
  if (claimed === 1) return { kind: 'begun' };
  const held = await tx.idempotencyKey.findUnique({ where: { tenantId_scope_key: { tenantId, scope, key } } });
  if (held === null) return { kind: 'in_progress' }; // released this moment
  if (held.fingerprint !== fingerprint) return { kind: 'other_body' };
  if (held.status === null) return { kind: 'in_progress' };
  return { kind: 'answered', status: held.status, body: held.body ?? undefined, headers: keptHeaders.parse(held.headers ?? {}) };
}

/** Keeps the answer; nothing happens when the claim was lost to a later one. */
export async function finishIdempotent(
  tx: Tx, claim: IdempotencyClaim, { status, body, headers = {} }: { status: number; body: string | undefined; headers?: Readonly<Record<string, string>> | undefined },
): Promise<void> {
  const { tenantId, scope, key, token } = claim;
  await tx.idempotencyKey.updateMany({ where: { tenantId, scope, key, token, status: null }, data: { status, body: body ?? null, headers } });
}

/** Gives the key back: the request failed in a way that a repetition may cure. */
export async function releaseIdempotent(tx: Tx, { tenantId, scope, key, token }: IdempotencyClaim): Promise<void> {
  await tx.idempotencyKey.deleteMany({ where: { tenantId, scope, key, token, status: null } });
}

/** Forgets answers that hold the user's data, and scopes that name it. */
export async function forgetIdempotencyOf(
  tx: Tx, { tenantId, userId, authSubject }: { tenantId: string; userId: string; authSubject: string },
): Promise<void> {
  await tx.$executeRaw`
    DELETE FROM idempotency_keys
    WHERE tenant_id = ${tenantId}
      AND (strpos(body, ${userId}) > 0 OR strpos(scope, ${userId}) > 0 OR starts_with(scope, ${`${authSubject} `}))`;
}
