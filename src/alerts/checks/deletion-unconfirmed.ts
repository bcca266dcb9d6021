import { servicesWithoutConfirmation } from '../../db/user-sync/deletions.ts';
import type { Check } from '../check.ts';

/** A service has not confirmed deletions of ALERT_DELETION_MINUTES ago, by tenant and service. */
export const deletionUnconfirmed: Check = {
  kind: 'deletion_unconfirmed',
  run: async ({ system, config }) => {
    const late = await servicesWithoutConfirmation(system, config.ALERT_DELETION_MINUTES);
    return late.map(({ tenantId, service, deletions, oldest, userId }) => ({
      tenantId,
      key: service,
      severity: 'warning',
      summary: `${service} has not confirmed that it has forgotten ${deletions} deleted user(s).`,
      details: { service, deletions, oldest: oldest.toISOString(), oldestUserId: userId },
    }));
  },
};
