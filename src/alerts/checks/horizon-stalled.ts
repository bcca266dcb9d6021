import { LOGS } from '../../db/logs.ts';
import { horizonLag } from '../../messaging/log/log-lag.ts';
import type { Check } from '../check.ts';

/**
 * A transaction that wrote, anywhere in the cluster, has been open for ALERT_HORIZON_STALL_MS: until it ends no reader
 * of a log gets newer rows.
 */
export const horizonStalled: Check = {
  kind: 'horizon_stalled',
  run: async ({ system, config }) => {
    const thresholdMs = config.ALERT_HORIZON_STALL_MS;
    const { unreadableMs, transactionMs, hiddenTransactions } = await horizonLag(system, LOGS);
    if (Math.max(unreadableMs, transactionMs) < thresholdMs) return [];
    return [
      {
        tenantId: config.DEFAULT_TENANT,
        key: 'cluster',
        severity: 'critical',
        summary:
          transactionMs >= thresholdMs
            ? `A transaction has been open for ${Math.round(transactionMs / 1000)} s: messages written since wait ` +
              `for it to end.`
            : `Messages written ${Math.round(unreadableMs / 1000)} s ago can't be read yet, since an older ` +
              `transaction is open.`,
        details: { unreadableMs, transactionMs, hiddenTransactions, thresholdMs },
      },
    ];
  },
};
