import { randomUUIDv7 } from 'node:crypto';
import type { Tx } from '../../postgres/client.ts';
import { Prisma } from '../../postgres/generated/client.ts';
import { openKeyOf, type Finding } from '../../domain/alerts/finding.ts';

/** NOTIFY channel: wakes the alert loop when there is something to deliver. */
export const ALERT_CHANNEL = 'alert';

/** Who resolved an alert (`resolved_by`) when a check did. */
export const SYSTEM = 'system';

/** An observation with the kind of its condition. */
export interface RaisedAlert extends Finding {
  readonly kind: string;
}

/**
 * Records an observation. The first opens an alert, to be delivered by `channels`. Until it is resolved, later ones
 * count up, refresh summary and details, and are not delivered, unless `isToldAgain`. Returns whether it was the first.
 */
export async function raiseAlert(
  tx: Tx,
  alert: RaisedAlert,
  channels: readonly string[],
  { isToldAgain = false }: { isToldAgain?: boolean } = {},
): Promise<{ id: string; isNew: boolean }> {
  const { tenantId, kind, severity, summary, details } = alert;
  const id = randomUUIDv7();
  const [row] = await tx.$queryRaw<{ id: string; isNew: boolean }[]>`
    INSERT INTO alerts AS seen (tenant_id, id, kind, severity, open_key, condition, summary, details, undelivered,
      told_as)
    VALUES (${tenantId}, ${id}::uuid, ${kind}, ${severity}, ${openKeyOf(alert)}, ${openKeyOf(alert)}, ${summary},
      ${JSON.stringify(details)}::jsonb, ${[...channels]}::text[], ${isToldAgain ? id : null}::uuid)
    ON CONFLICT (tenant_id, open_key) DO UPDATE SET
      count = seen.count + 1, last_seen_at = now(), severity = EXCLUDED.severity,
      summary = EXCLUDED.summary, details = EXCLUDED.details,
      undelivered = CASE WHEN ${isToldAgain} THEN EXCLUDED.undelivered ELSE seen.undelivered END
    RETURNING id::text, xmax = 0 AS "isNew"`;
  if (row === undefined) throw new Error('an alert was neither inserted nor updated');
  if (row.isNew || isToldAgain) await tx.$queryRaw`SELECT pg_notify(${ALERT_CHANNEL}, '')::text`;
  return row;
}

/** Resolves an alert whose condition is gone; does nothing when there is none. */
export async function clearAlert(
  tx: Tx,
  { tenantId, kind, key }: { tenantId: string; kind: string; key: string },
): Promise<void> {
  await endAlert(tx, { tenantId, by: SYSTEM, which: Prisma.sql`open_key = ${openKeyOf({ kind, key })}` });
}

/** The open alerts of a kind, in all tenants the transaction sees. */
export async function openAlerts(
  tx: Tx,
  kind: string,
): Promise<readonly { readonly tenantId: string; readonly openKey: string | null }[]> {
  return tx.alert.findMany({
    where: { kind, openKey: { not: null } },
    select: { tenantId: true, openKey: true },
  });
}

/** Resolves every open alert of a kind, in all tenants the transaction sees, but those observed just now. */
export async function clearUnsighted(tx: Tx, kind: string, sighted: readonly Finding[]): Promise<void> {
  const keep = new Set(sighted.map(({ tenantId, key }) => JSON.stringify([tenantId, openKeyOf({ kind, key })])));
  for (const { tenantId, openKey } of await openAlerts(tx, kind)) {
    if (keep.has(JSON.stringify([tenantId, openKey]))) continue;
    await endAlert(tx, { tenantId, by: SYSTEM, which: Prisma.sql`open_key = ${openKey}` });
  }
}

/** Resolves the alert, and has that told wherever it was told; does nothing when it is resolved already. */
export async function endAlert(
  tx: Tx,
  { tenantId, by, which }: { readonly tenantId: string; readonly by: string; readonly which: Prisma.Sql },
): Promise<void> {
  await tx.$queryRaw`
    WITH ended AS (
      UPDATE alerts SET status = 'resolved', open_key = NULL, resolved_by = ${by}, resolved_at = now(),
        next_delivery_at = now()
      WHERE tenant_id = ${tenantId} AND ${which} AND status <> 'resolved' RETURNING undelivered, told
    )
    SELECT pg_notify(${ALERT_CHANNEL}, '')::text FROM ended WHERE undelivered <> '{}' OR told <> '{}' LIMIT 1`;
}
