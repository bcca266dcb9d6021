import { ALL_TENANTS, type Db } from '../../postgres/client.ts';
import type { Alert } from '../../postgres/generated/client.ts';

/** Alerts that somebody still has to be told of and that are due, the longest due first, of every tenant. */
export async function dueAlerts(db: Db, limit: number): Promise<readonly { tenantId: string; id: string }[]> {
  return db.inTenant(
    ALL_TENANTS,
    (tx) => tx.$queryRaw<{ tenantId: string; id: string }[]>`
    SELECT tenant_id AS "tenantId", id::text FROM alerts
    WHERE undelivered <> '{}' AND next_delivery_at <= now() ORDER BY next_delivery_at LIMIT ${limit}`,
  );
}

/** One alert, or null. */
export async function findAlert(db: Db, { tenantId, id }: { tenantId: string; id: string }): Promise<Alert | null> {
  return db.inTenant(tenantId, (tx) => tx.alert.findUnique({ where: { tenantId_id: { tenantId, id } } }));
}

/** Records that a channel was told, or never will be. */
export async function markTold(db: Db, { tenantId, id }: Alert, channel: string): Promise<void> {
  await db.inTenant(
    tenantId,
    (tx) => tx.$executeRaw`
    UPDATE alerts SET undelivered = array_remove(undelivered, ${channel}), delivery_error = NULL
      WHERE tenant_id = ${tenantId} AND id = ${id}::uuid`,
  );
}

/** Counts a failed delivery and has it tried again after `delayMs`. */
export async function postponeDelivery(
  db: Db,
  { tenantId, id }: Alert,
  { delayMs, error }: { delayMs: number; error: string },
): Promise<void> {
  await db.inTenant(
    tenantId,
    (tx) => tx.$executeRaw`
    UPDATE alerts SET delivery_attempts = delivery_attempts + 1, delivery_error = ${error.slice(0, 1000)},
      next_delivery_at = now() + make_interval(secs => ${delayMs / 1000}::float8)
    WHERE tenant_id = ${tenantId} AND id = ${id}::uuid`,
  );
}
