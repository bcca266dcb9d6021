import { isRestoredElsewhere, timelineChange } from '../../messaging/log/cluster-identity.ts';
import type { Finding } from '../../domain/alerts/finding.ts';
import type { Check } from '../check.ts';

/**
 * The database was restored, and `npm run restart-readers` has not run since. Restored into another cluster: nobody
 * reads a log until it has. On another timeline (an earlier point in time, or a standby took over): the logs can be
 * read, but transactions may be lost that Temporal and other services know of.
 */
export const restoredElsewhere: Check = {
  kind: 'restored_elsewhere',
  run: async ({ system, config }) => {
    const finding = (rest: Omit<Finding, 'tenantId'>): Finding => ({ tenantId: config.DEFAULT_TENANT, ...rest });
    if (await isRestoredElsewhere(system)) {
      return [
        finding({
          key: 'cluster',
          severity: 'critical',
          details: {},
          summary:
            'The logs come from another cluster, so nobody reads them: stop workers and API, run `npm run ' +
            'restart-readers`, start them again.',
        }),
      ];
    }
    const change = await timelineChange(system);
    return change === undefined
      ? []
      : [
          finding({
            key: 'timeline',
            severity: 'warning',
            details: change,
            summary:
              'PostgreSQL was restored to an earlier point, or a standby took over: if transactions were lost, ' +
              'stop workers and API, run `npm run restart-readers` and start them again; else run it with `-- ' +
              '--accept`.',
          }),
        ];
  },
};
