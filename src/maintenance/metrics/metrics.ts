import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { SystemDb } from '../../postgres/client.ts';
import { GAUGES, gaugeNames, type GaugeName } from './gauge-names.ts';
import { readGauges, type GaugeReading } from './gauges.ts';

/** How long values read from the database are served to further scrapes, in milliseconds. */
const CACHE_MS = 5_000;

/** The metrics of one process. */
export interface Metrics {
  readonly registry: Registry;
  /** Counts attempts to deliver notifications, by outcome. */
  readonly notificationDeliveries: Counter<'outcome'>;
  /** Counts the deliveries of messages of the bus to our consumers, by group and outcome. */
  readonly busDeliveries: Counter<'group' | 'outcome'>;
  /** Counts the messages that the message relay published or parked. */
  readonly relayedMessages: Counter<'outcome'>;
  /** Everything in the format of Prometheus; read from the database at most every 5 s, without it when it is away. */
  text(): Promise<string>;
}

/** The registry with the process's own metrics and the gauges that are counted in the database on a scrape. */
export function createMetrics({ system }: { system: SystemDb }): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const notificationDeliveries = new Counter({
    name: 'steadfast_notification_deliveries_total',
    help: 'Hand-overs of notifications to the mail server, by outcome.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const busDeliveries = new Counter({
    name: 'steadfast_bus_deliveries_total',
    help: 'Deliveries of messages of the bus to consumers, by group and outcome.',
    labelNames: ['group', 'outcome'],
    registers: [registry],
  });
  const relayedMessages = new Counter({
    name: 'steadfast_relayed_messages_total',
    help: 'Messages of the message outbox, by whether they were published or parked.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const databaseUp = new Gauge({
    name: 'steadfast_database_up',
    help: '1 when the last scrape could read the database, else 0.',
    registers: [registry],
  });
  const gauges = createGauges(registry);
  let readAt = -Infinity;
  let reading: Promise<void> | undefined;

  async function refresh(): Promise<void> {
    try {
      const readings = await readGauges(system);
      for (const [name, gauge] of gauges) show(gauge, readings[name] ?? []);
      databaseUp.set(1);
    } catch {
      for (const gauge of gauges.values()) gauge.reset();
      databaseUp.set(0);
    }
    readAt = performance.now();
  }

  return {
    registry,
    notificationDeliveries,
    busDeliveries,
    relayedMessages,
    text: async () => {
      if (performance.now() - readAt > CACHE_MS) {
        reading ??= refresh().finally(() => {
          reading = undefined;
        });
        await reading;
      }
      return registry.metrics();
    },
  };
}

function createGauges(registry: Registry): Map<GaugeName, Gauge> {
  return new Map(
    gaugeNames().map((name) => {
      const [help, labelNames] = GAUGES[name];
      return [name, new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] })];
    }),
  );
}

function show(gauge: Gauge, readings: readonly GaugeReading[]): void {
  gauge.reset();
  for (const { labels, value } of readings) gauge.set(labels, value);
}
