import type { SystemDb } from '../../postgres/client.ts';

/** How many users were last sent to their services within the window, by tenant, and how many of them failed. */
export async function countRecentSyncs(
  db: SystemDb,
  windowMinutes: number,
): Promise<readonly { tenantId: string; attempted: number; failing: number }[]> {
  return db.acrossTenants(
    (tx) => tx.$queryRaw<{ tenantId: string; attempted: number; failing: number }[]>`
      SELECT tenant_id AS "tenantId", count(*)::int AS attempted,
        (count(*) FILTER (WHERE sync_status IN ('failed', 'retry')))::int AS failing
      FROM users
      WHERE deleted_at IS NULL
        AND last_sync_attempt >= now() - make_interval(secs => ${windowMinutes * 60}::float8)
      GROUP BY tenant_id`,
  );
}
