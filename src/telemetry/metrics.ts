import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { Db } from '../db/client.ts';
import { readGauges, type GaugeReading } from './gauges.ts';

/** How long what was read from the database serves further scrapes. */
const CACHE_MS = 5_000;

/** The metrics of one process. */
export interface Metrics {
  readonly registry: Registry;
  /** Counts what became of hand-overs to the mail server, by outcome. */
  readonly notificationDeliveries: Counter<'outcome'>;
  /** Everything in the format of Prometheus; read from the database at most every 5 s, without it when it is away. */
  text(): Promise<string>;
}

/** The registry with the process's own metrics and the gauges that are counted in the database on a scrape. */
export function createMetrics({ db }: { db: Db }): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const notificationDeliveries = new Counter({
    name: 'steadfast_notification_deliveries_total', help: 'Hand-overs of notifications to the mail server, by outcome.',
    labelNames: ['outcome'], registers: [registry],
  });
  const databaseUp = new Gauge({ name: 'steadfast_database_up', help: '1 when the last scrape could read the database, else 0.', registers: [registry] });
  const gauges = createGauges(registry);
  let readAt = -Infinity;
  let reading: Promise<void> | undefined;

  async function refresh(): Promise<void> {
    try {
      const readings = await readGauges(db);
      for (const [name, gauge] of gauges) show(gauge, readings[name] ?? []);
      databaseUp.set(1);
    } catch {
      for (const gauge of gauges.values()) gauge.reset();
      databaseUp.set(0);
    }
    readAt = performance.now();
  }

  return {
    registry, notificationDeliveries,
    text: async () => {
      if (performance.now() - readAt > CACHE_MS) {
        reading ??= refresh().finally(() => { reading = undefined; });
        await reading;
      }
      return registry.metrics();
    },
  };
}

/** Name, help and labels of what is counted in the database. */
const GAUGES = {
  steadfast_dead_letters_parked: ['Dead letters that wait for an operator, by source.', ['source']],
  steadfast_alerts_open: ['Alerts that are not resolved, by kind and severity.', ['kind', 'severity']],
  steadfast_pending_starts_waiting: ['Calls on workflows that were promised and not carried out yet.', []],
  steadfast_pending_starts_oldest_age_seconds: ['Age of the oldest promised call that was not carried out yet.', []],
  steadfast_notifications_waiting: ['Notifications that were not handed over yet.', []],
  steadfast_outgoing_log_lag_messages: ['Outgoing messages behind the slowest reader of their partition.', []],
  steadfast_outgoing_log_lag_seconds: ['Age of the oldest outgoing message that was not relayed yet.', []],
  steadfast_log_horizon_lag_seconds: ['For how long the oldest open transaction has held back the readers of the logs.', []],
  steadfast_users: ['Users, by status.', ['status']],
  steadfast_users_by_profile_status: ['Users, by status of profile completion.', ['status']],
  steadfast_users_by_sync_status: ['Users, by synchronisation status.', ['status']],
} as const satisfies Record<string, readonly [string, readonly string[]]>;

/** Name of a gauge that is counted in the database. */
export type GaugeName = keyof typeof GAUGES;

function createGauges(registry: Registry): Map<GaugeName, Gauge> {
  return new Map(gaugeNames().map((name) => {
    const [help, labelNames] = GAUGES[name];
    return [name, new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] })];
  }));
}

function gaugeNames(): GaugeName[] {
  return Object.keys(GAUGES).filter((name): name is GaugeName => name in GAUGES);
}

function show(gauge: Gauge, readings: readonly GaugeReading[]): void {
  gauge.reset();
  for (const { labels, value } of readings) gauge.set(labels, value);
}
