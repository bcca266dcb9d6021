import { messageRelayLagMs } from '../../messaging/outbox/message-relay.ts';
import { ALL_TENANTS, type Db } from '../../postgres/client.ts';
import type { Check } from '../check.ts';

/** A message of the message outbox or a call of the workflow outbox has waited for ALERT_HORIZON_STALL_MS. */
export const relayStalled: Check = {
  kind: 'relay_stalled',
  run: async ({ db, config }) => {
    const thresholdMs = config.ALERT_HORIZON_STALL_MS;
    const relays = [
      { key: 'outgoing-relay', what: 'message of the message outbox', ageMs: await messageRelayLagMs(db) },
      { key: 'pending-start-relay', what: 'call of the workflow outbox', ageMs: await pendingStartAgeMs(db) },
    ];
    return relays
      .filter(({ ageMs }) => ageMs >= thresholdMs)
      .map(({ key, what, ageMs }) => ({
        tenantId: config.DEFAULT_TENANT,
        key,
        severity: 'critical',
        summary: `The oldest ${what} has waited ${Math.round(ageMs / 1000)} s to be carried out.`,
        details: { ageMs, thresholdMs },
      }));
  },
};

async function pendingStartAgeMs(db: Db): Promise<number> {
  const [row] = await db.inTenant(
    ALL_TENANTS,
    (tx) => tx.$queryRaw<{ ms: number }[]>`
    SELECT coalesce(extract(epoch FROM now() - min(created_at)) * 1000, 0)::float8 AS ms FROM pending_starts`,
  );
  return row?.ms ?? 0;
}
