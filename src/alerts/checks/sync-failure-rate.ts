import { ALL_TENANTS } from '../../postgres/client.ts';
import type { Check } from '../check.ts';

/**
 * Of the users sent out within ALERT_SYNC_WINDOW_MINUTES, the share ALERT_SYNC_FAILURE_RATE or more is `retry` or
 * `failed`, by tenant.
 */
export const syncFailureRate: Check = {
  kind: 'sync_failure_rate',
  run: async ({ db, config }) => {
    const {
      ALERT_SYNC_WINDOW_MINUTES: windowMinutes,
      ALERT_SYNC_FAILURE_MINIMUM: minimum,
      ALERT_SYNC_FAILURE_RATE: threshold,
    } = config;
    // Every status is listed, so that the index on (sync_status, last_sync_attempt) can be used for the time.
    const rows = await db.inTenant(
      ALL_TENANTS,
      (tx) => tx.$queryRaw<{ tenantId: string; attempted: number; failing: number }[]>`
      SELECT tenant_id AS "tenantId", count(*)::int AS attempted,
        (count(*) FILTER (WHERE sync_status IN ('failed', 'retry')))::int AS failing
      FROM users
      WHERE sync_status IN ('pending', 'in_progress', 'synced', 'failed', 'retry') AND deleted_at IS NULL
        AND last_sync_attempt >= now() - make_interval(secs => ${windowMinutes * 60}::float8)
      GROUP BY tenant_id`,
    );
    return rows
      .filter(({ attempted, failing }) => attempted >= minimum && failing / attempted >= threshold)
      .map(({ tenantId, attempted, failing }) => ({
        tenantId,
        key: 'users',
        severity: 'warning',
        summary: `${failing} of the ${attempted} users synchronised in the last ${windowMinutes} min are not in sync.`,
        details: { attempted, failing, windowMinutes, threshold },
      }));
  },
};
