import { countRecentSyncs } from '../../db/user-sync/recent-syncs.ts';
import type { Check } from '../check.ts';

/**
 * Of the users sent out within ALERT_SYNC_WINDOW_MINUTES, the share ALERT_SYNC_FAILURE_RATE or more is `retry` or
 * `failed`, by tenant.
 */
export const syncFailureRate: Check = {
  kind: 'sync_failure_rate',
  run: async ({ system, config }) => {
    const {
      ALERT_SYNC_WINDOW_MINUTES: windowMinutes,
      ALERT_SYNC_FAILURE_MINIMUM: minimum,
      ALERT_SYNC_FAILURE_RATE: threshold,
    } = config;
    const rows = await countRecentSyncs(system, windowMinutes);
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
