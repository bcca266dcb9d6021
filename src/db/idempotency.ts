import type { Tx } from './client.ts';

/** One request's hold on its `Idempotency-Key`; `lockedUntil` also tells it from a later holder. */
export interface IdempotencyClaim {
  readonly tenantId: string;
  readonly scope: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly lockedUntil: Date;
  /** Older records count as gone. */
  readonly keepFrom: Date;
}

/** Whether the request is to be carried out, or what its key says already. */
export type Begun =
  | { readonly kind: 'begun' }
  | { readonly kind: 'other_body' }
  | { readonly kind: 'in_progress' }
  | { readonly kind: 'answered'; readonly status: number; readonly body: string | undefined };

/** Claims the key, also from a holder that died or when the record is past its time. */
export async function beginIdempotent(tx: Tx, claim: IdempotencyClaim): Promise<Begun> {
  const { tenantId, scope, key, fingerprint, lockedUntil, keepFrom } = claim;
  const claimed = await tx.$executeRaw`
    INSERT INTO idempotency_keys AS held (tenant_id, scope, key, fingerprint, locked_until, created_at)
    VALUES (${tenantId}, ${scope}, ${key}, ${fingerprint}, ${lockedUntil}, now())
    ON CONFLICT (tenant_id, scope, key) DO UPDATE
      SET fingerprint = excluded.fingerprint, locked_until = excluded.locked_until, created_at = now(), status = NULL, body = NULL
      WHERE held.created_at < ${keepFrom}
        OR (held.status IS NULL AND held.locked_until < now() AND held.fingerprint = excluded.fingerprint)`;
  if (claimed === 1) return { kind: 'begun' };
  const held = await tx.idempotencyKey.findUnique({ where: { tenantId_scope_key: { tenantId, scope, key } } });
  if (held === null) return { kind: 'in_progress' }; // released this moment
  if (held.fingerprint !== fingerprint) return { kind: 'other_body' };
  return held.status === null ? { kind: 'in_progress' } : { kind: 'answered', status: held.status, body: held.body ?? undefined };
}

/** Keeps the answer; nothing happens when the claim was lost to a later one. */
export async function finishIdempotent(
  tx: Tx, claim: IdempotencyClaim, { status, body }: { status: number; body: string | undefined },
): Promise<void> {
  const { tenantId, scope, key, lockedUntil } = claim;
  await tx.idempotencyKey.updateMany({ where: { tenantId, scope, key, lockedUntil, status: null }, data: { status, body: body ?? null } });
}

/** Gives the key back: the request failed in a way that a repetition may cure. */
export async function releaseIdempotent(tx: Tx, { tenantId, scope, key, lockedUntil }: IdempotencyClaim): Promise<void> {
  await tx.idempotencyKey.deleteMany({ where: { tenantId, scope, key, lockedUntil, status: null } });
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
