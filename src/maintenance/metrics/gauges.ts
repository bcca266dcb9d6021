import { LOGS } from '../../db/logs.ts';
import { messageRelayLagMs } from '../../messaging/outbox/message-relay.ts';
import { ALL_TENANTS, type Db, type Tx } from '../../postgres/client.ts';
import { horizonLag } from '../../messaging/log/log-lag.ts';
import type { GaugeName } from './gauge-names.ts';

/** One value of a gauge. */
export interface GaugeReading {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads all gauges from the database, over all tenants. */
export async function readGauges(db: Db): Promise<Partial<Record<GaugeName, readonly GaugeReading[]>>> {
  const [lagMs, { unreadableMs }] = [await messageRelayLagMs(db), await horizonLag(db, LOGS)];
  return db.inTenant(ALL_TENANTS, async (tx) => {
    const [waiting] = await waitingCounts(tx);
    return {
      steadfast_outgoing_log_lag_seconds: single(lagMs / 1000),
      steadfast_log_horizon_lag_seconds: single(unreadableMs / 1000),
      steadfast_dead_letters_parked: await deadLetters(tx),
      steadfast_alerts_open: await openAlerts(tx),
      steadfast_pending_starts_waiting: single(waiting?.pendingStarts),
      steadfast_pending_starts_oldest_age_seconds: single(waiting?.oldestStartS),
      steadfast_notifications_waiting: single(waiting?.notifications),
      steadfast_unsynced_users: await unsyncedUsers(tx),
      ...(await userCounts(tx)),
    };
  });
}

function single(value: number | undefined): GaugeReading[] {
  return value === undefined ? [] : [{ labels: {}, value }];
}

async function deadLetters(tx: Tx): Promise<GaugeReading[]> {
  const rows = await tx.deadLetter.groupBy({ by: ['source'], where: { status: 'parked' }, _count: { _all: true } });
  return rows.map(({ source, _count }) => ({ labels: { source }, value: _count._all }));
}

async function openAlerts(tx: Tx): Promise<GaugeReading[]> {
  const rows = await tx.alert.groupBy({
    by: ['kind', 'severity'],
    where: { openKey: { not: null } },
    _count: { _all: true },
  });
  return rows.map(({ kind, severity, _count }) => ({ labels: { kind, severity }, value: _count._all }));
}

// The retries are at most MAX_SYNC_RETRY_ATTEMPTS, so the series stay few.
async function unsyncedUsers(tx: Tx): Promise<GaugeReading[]> {
  const rows = await tx.user.groupBy({
    by: ['syncStatus', 'syncRetryCount'],
    where: { deletedAt: null, syncStatus: { not: 'synced' } },
    _count: { _all: true },
  });
  return rows.map(({ syncStatus, syncRetryCount, _count }) => ({
    labels: { status: syncStatus, retries: String(syncRetryCount) },
    value: _count._all,
  }));
}

function waitingCounts(tx: Tx) {
  return tx.$queryRaw<{ pendingStarts: number; oldestStartS: number; notifications: number }[]>`
    SELECT
      (SELECT count(*)::float8 FROM pending_starts) AS "pendingStarts",
      (SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 FROM pending_starts) AS "oldestStartS",
      (SELECT count(*)::float8 FROM notifications WHERE status = 'pending') AS "notifications"`;
}

async function userCounts(tx: Tx) {
  const rows = await tx.user.groupBy({
    by: ['status', 'profileCompletionStatus', 'syncStatus'],
    where: { deletedAt: null },
    _count: { _all: true },
  });
  const sumBy = (statusOf: (row: (typeof rows)[number]) => string): GaugeReading[] => {
    const sums = new Map<string, number>();
    for (const row of rows) sums.set(statusOf(row), (sums.get(statusOf(row)) ?? 0) + row._count._all);
    return [...sums].map(([status, value]) => ({ labels: { status }, value }));
  };
  return {
    steadfast_users: sumBy(({ status }) => status),
    steadfast_users_by_profile_status: sumBy(({ profileCompletionStatus }) => profileCompletionStatus),
    steadfast_users_by_sync_status: sumBy(({ syncStatus }) => syncStatus),
  };
}
