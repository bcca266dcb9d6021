import type { Check } from '../check.ts';
import { TEMPORAL_DEADLINE_MS } from '../check.ts';

/** Temporal does not answer a request that needs its database: no workflow starts and no timer fires. */
export const temporalUnreachable: Check = {
  kind: 'temporal_unreachable',
  run: async ({ client, config }) => {
    const { namespace } = client.options;
    try {
      await client.withDeadline(Date.now() + TEMPORAL_DEADLINE_MS, () =>
        client.workflowService.describeNamespace({ namespace }),
      );
      return [];
    } catch (error) {
      return [
        {
          tenantId: config.DEFAULT_TENANT,
          key: namespace,
          severity: 'critical',
          summary: `Temporal does not answer for namespace ${namespace}: no workflow starts or goes on.`,
          details: { namespace, error: String(error).slice(0, 500) },
        },
      ];
    }
  },
};
