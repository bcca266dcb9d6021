import { MESSAGE_RELAY } from '../../messaging/outbox/message-outbox.ts';
import { messageRelayLagMs } from '../../messaging/outbox/message-relay.ts';
import { oldestCallAgeMs } from '../../messaging/outbox/workflow-outbox.ts';
import type { Check } from '../check.ts';

/** A message of the message outbox or a call of the workflow outbox has waited for ALERT_HORIZON_STALL_MS. */
export const relayStalled: Check = {
  kind: 'relay_stalled',
  run: async ({ system, config }) => {
    const thresholdMs = config.ALERT_HORIZON_STALL_MS;
    const relays = [
      { key: MESSAGE_RELAY, what: 'message of the message outbox', ageMs: await messageRelayLagMs(system) },
      { key: 'pending-start-relay', what: 'call of the workflow outbox', ageMs: await oldestCallAgeMs(system) },
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
