import { LOGS } from '../../db/logs.ts';
import { EVERY_TENANT, rowCounts, sumCounts, type Counted, type RowCount } from '../../db/row-counts.ts';
import { oldestCallAgeMs } from '../../messaging/outbox/workflow-outbox.ts';
import { messageRelayLagMs } from '../../messaging/outbox/message-relay.ts';
import type { SystemDb } from '../../postgres/client.ts';
import { horizonLag } from '../../messaging/log/log-lag.ts';
import type { GaugeName } from './gauge-names.ts';

/** One value of a gauge. */
export interface GaugeReading {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads all gauges from the database, over all tenants. */
export async function readGauges(system: SystemDb): Promise<Partial<Record<GaugeName, readonly GaugeReading[]>>> {
  const [lagMs, { unreadableMs }] = [await messageRelayLagMs(system), await horizonLag(system, LOGS)];
  const callAgeMs = await oldestCallAgeMs(system);
  return system.acrossTenants(async (tx) => {
    const countsOf = (counted: Counted) => rowCounts(tx, { tenantId: EVERY_TENANT, counted });
    const users = await countsOf('users');
    const unsynced = users.filter(({ key }) => key.split(' ')[2] !== 'synced');
    return {
      steadfast_outgoing_log_lag_seconds: single(lagMs / 1000),
      steadfast_log_horizon_lag_seconds: single(unreadableMs / 1000),
      steadfast_dead_letters_parked: readingsBy(await countsOf('dead_letters'), ([source = '']) => ({ source })),
      steadfast_alerts_open: readingsBy(await countsOf('alerts'), ([kind = '', severity = '']) => ({ kind, severity })),
      steadfast_pending_starts_waiting: total(await countsOf('pending_starts')),
      steadfast_pending_starts_oldest_age_seconds: single(callAgeMs / 1000),
      steadfast_notifications_waiting: total(await countsOf('notifications')),
      // The retries are at most MAX_SYNC_RETRY_ATTEMPTS, so the series stay few.
      steadfast_unsynced_users: readingsBy(unsynced, ([, , status = '', retries = '']) => ({ status, retries })),
      steadfast_users: readingsBy(users, ([status = '']) => ({ status })),
      steadfast_users_by_profile_status: readingsBy(users, ([, status = '']) => ({ status })),
      steadfast_users_by_sync_status: readingsBy(users, ([, , status = '']) => ({ status })),
    };
  });
}

function single(value: number): GaugeReading[] {
  return [{ labels: {}, value }];
}

function total(counts: readonly RowCount[]): GaugeReading[] {
  return single(counts.reduce((sum, { count }) => sum + count, 0));
}

/** A reading for each set of labels that keys have. */
function readingsBy(
  counts: readonly RowCount[],
  labelsOf: (words: readonly string[]) => Readonly<Record<string, string>>,
): GaugeReading[] {
  const labels = new Map(
    counts.map(({ key }) => labelsOf(key.split(' '))).map((each) => [JSON.stringify(each), each] as const),
  );
  return sumCounts(counts, (words) => JSON.stringify(labelsOf(words))).map(({ key, count }) => ({
    labels: labels.get(key) ?? {},
    value: count,
  }));
}
