import { setTimeout as delay } from 'node:timers/promises';
import type { OrderMode } from '../src/domain/orders/choreographed-order.ts';
import { fromRunner } from '../test/support/services.ts';
import { startTemporaryTemporal } from '../tools/temporary-temporal.ts';
import { furnish, orderOf } from './catalogue.ts';
import { install, type Installation } from './installation.ts';
import { cpuMs, postmasterOf, type Figure, type Load } from './measure.ts';
import { untilShipped } from './shipped.ts';

const IN_FLIGHT = 50;
const WARM = 20;
const ALONE = 10;
/** PostgreSQL's counts of transactions come late. */
const COUNTED_AFTER_MS = 1_500;
const MODES = ['orchestration', 'choreography'] as const satisfies readonly OrderMode[];

/** The same orders carried by a workflow and by services, on the dev server and the bus in PostgreSQL. */
export async function benchChoreography(count: number): Promise<Figure[]> {
  const temporal = await startTemporaryTemporal();
  try {
    const figures: Figure[] = [];
    for (const mode of MODES) {
      const installation = await install({ address: temporal.address });
      try {
        figures.push(...(await benchMode(installation, { mode, count, temporal: temporal.pid })));
      } finally {
        await installation.close();
      }
    }
    return figures;
  } finally {
    await temporal.stop();
  }
}

async function benchMode(
  installation: Installation,
  { mode, count, temporal }: { mode: OrderMode; count: number; temporal: number },
): Promise<Figure[]> {
  const { api, worker, db } = installation;
  if (worker === undefined) throw new Error('the worker is missing');
  const busy = {
    API: api.pid,
    worker: worker.pid,
    PostgreSQL: await postmasterOf(fromRunner('TEST_DATABASE_URL')),
    Temporal: temporal,
  };
  await furnish(db);
  await placeAll(installation, { mode, count: WARM, inFlight: IN_FLIGHT });
  const alone = await placeAll(installation, { mode, count: ALONE, inFlight: 1 });
  const [transactions, messages] = [await committed(installation), await messagesOf(installation)];
  const before = Object.values(busy).map(cpuMs);
  const load = await placeAll(installation, { mode, count, inFlight: IN_FLIGHT });
  const after = Object.values(busy).map(cpuMs);
  const each = (value: number, name: string, unit: string): Figure => ({
    section: 'choreography',
    name: `${mode}: ${name}`,
    value,
    unit,
  });
  return [
    each(load.perSecond, 'POST → shipped', '/s'),
    each(load.p50Ms, `p50, ${IN_FLIGHT} at a time`, 'ms'),
    each(alone.p50Ms, 'p50, one at a time', 'ms'),
    each(((await messagesOf(installation)) - messages) / count, 'messages', 'each'),
    each(((await committed(installation)) - transactions) / count, 'transactions of ours', 'each'),
    ...Object.keys(busy).map((of, index) =>
      each(((after[index] ?? 0) - (before[index] ?? 0)) / count, `CPU of ${of}`, 'ms each'),
    ),
  ];
}

function placeAll(
  { post, system }: Installation,
  { mode, count, inFlight }: { mode: OrderMode; count: number; inFlight: number },
): Promise<Load> {
  return untilShipped(system, {
    count,
    inFlight,
    place: async (index) => String((await post('/orders', { ...orderOf(index), mode }))['id']),
  });
}

/** Transactions of the database up to now, our own looks among them. */
async function committed({ system }: Installation): Promise<number> {
  await delay(COUNTED_AFTER_MS);
  const { rows } = await system.pool.query<{ commits: number }>(
    'SELECT xact_commit::float8 AS commits FROM pg_stat_database WHERE datname = current_database()',
  );
  return rows[0]?.commits ?? 0;
}

async function messagesOf({ system }: Installation): Promise<number> {
  return system.acrossTenants((tx) => tx.outgoingMessage.count());
}
