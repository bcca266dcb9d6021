import type { SystemDb, Tx } from '../../postgres/client.ts';
import type { Alert } from '../../postgres/generated/client.ts';
import { firstTelling } from '../../domain/alerts/telling.ts';

/** Which alert of which tenant. */
export interface AlertKey {
  readonly tenantId: string;
  readonly id: string;
}

/**
 * Alerts of which something is still to be told and that are due, the longest due first, of every tenant: that they
 * were raised, or, where they were told, that they are over.
 */
export async function dueAlerts(db: SystemDb, limit: number): Promise<readonly AlertKey[]> {
  return db.acrossTenants(
    (tx) => tx.$queryRaw<AlertKey[]>`
    SELECT tenant_id AS "tenantId", id::text FROM alerts
    WHERE (undelivered <> '{}' OR (status = 'resolved' AND told <> '{}')) AND next_delivery_at <= now()
    ORDER BY next_delivery_at LIMIT ${limit}`,
  );
}

/** One alert, or null. */
export async function findAlert(db: SystemDb, key: AlertKey): Promise<Alert | null> {
  return db.acrossTenants((tx) => findIn(tx, key));
}

/** The alert, or null; where it is to be told is settled the first time (`firstTelling`). */
export async function takeForDelivery(db: SystemDb, { tenantId, id }: AlertKey, now: Date): Promise<Alert | null> {
  return await db.acrossTenants(async (tx) => {
    await tx.$executeRaw`SELECT FROM alerts WHERE tenant_id = ${tenantId} AND id = ${id}::uuid FOR UPDATE`;
    const alert = await findIn(tx, { tenantId, id });
    if (alert === null || alert.toldAs !== null) return alert;
    const before = alert.condition === null ? null : await lastOver(tx, tenantId, alert.condition);
    const { undelivered, told, toldAs, isFlapping } = firstTelling(alert, before ?? undefined, now);
    if (before !== null && before.told.length > 0) {
      const where = { tenantId_id: { tenantId, id: before.id } };
      await tx.alert.update({ where, data: { told: [], undelivered: [] } });
    }
    const data = { undelivered: [...undelivered], told: [...told], toldAs, isFlapping };
    return await tx.alert.update({ where: { tenantId_id: { tenantId, id } }, data });
  });
}

function findIn(tx: Tx, { tenantId, id }: AlertKey): Promise<Alert | null> {
  return tx.alert.findUnique({ where: { tenantId_id: { tenantId, id } } });
}

/** The last alert about a condition that is over, locked. */
async function lastOver(tx: Tx, tenantId: string, condition: string): Promise<Alert | null> {
  const [last] = await tx.$queryRaw<{ id: string }[]>`
    SELECT id::text FROM alerts WHERE tenant_id = ${tenantId} AND condition = ${condition} AND resolved_at IS NOT NULL
    ORDER BY resolved_at DESC LIMIT 1 FOR UPDATE`;
  return last === undefined ? null : findIn(tx, { tenantId, id: last.id });
}

/** Records where a channel is about to be told. */
export async function beginTelling(db: SystemDb, { tenantId, id }: AlertKey, target: string): Promise<void> {
  await db.acrossTenants(
    (tx) => tx.$executeRaw`
    UPDATE alerts SET told = array_append(array_remove(told, ${target}), ${target})
      WHERE tenant_id = ${tenantId} AND id = ${id}::uuid`,
  );
}

/** Records that it was not told there after all. */
export async function takeBackTelling(db: SystemDb, { tenantId, id }: AlertKey, target: string): Promise<void> {
  await db.acrossTenants(
    (tx) => tx.$executeRaw`
    UPDATE alerts SET told = array_remove(told, ${target}) WHERE tenant_id = ${tenantId} AND id = ${id}::uuid`,
  );
}

/** Records that a channel was told, or never will be. */
export async function markTold(db: SystemDb, { tenantId, id }: AlertKey, channel: string): Promise<void> {
  await db.acrossTenants(
    (tx) => tx.$executeRaw`
    UPDATE alerts SET undelivered = array_remove(undelivered, ${channel}), delivery_error = NULL
      WHERE tenant_id = ${tenantId} AND id = ${id}::uuid`,
  );
}

/** Records that it was told there that the alert is over, or never will be. */
export async function markOver(db: SystemDb, { tenantId, id }: AlertKey, target: string): Promise<void> {
  await db.acrossTenants(
    (tx) => tx.$executeRaw`
    UPDATE alerts SET told = array_remove(told, ${target}), end_told_at = now(), delivery_error = NULL
      WHERE tenant_id = ${tenantId} AND id = ${id}::uuid`,
  );
}

/** Has the rest told after `delayMs`, unless the alert has ended meanwhile; a failure counts. */
export async function postponeDelivery(
  db: SystemDb,
  { tenantId, id, status }: Pick<Alert, 'tenantId' | 'id' | 'status'>,
  { delayMs, error }: { delayMs: number; error: string | null },
): Promise<void> {
  await db.acrossTenants(
    (tx) => tx.$executeRaw`
    UPDATE alerts SET delivery_attempts = delivery_attempts + ${error === null ? 0 : 1}::int,
      delivery_error = ${error?.slice(0, 1000) ?? null},
      next_delivery_at = CASE WHEN (status = 'resolved') = ${status === 'resolved'}
        THEN now() + make_interval(secs => ${delayMs / 1000}::float8) ELSE next_delivery_at END
    WHERE tenant_id = ${tenantId} AND id = ${id}::uuid`,
  );
}
