import { fromRunner } from '../test/support/services.ts';
import { startTemporaryPostgres } from '../tools/temporary-postgres.ts';
import { startTemporaryTemporal } from '../tools/temporary-temporal.ts';
import { bareWorkflows } from './bare-workflows.ts';
import { furnish, orderOf } from './catalogue.ts';
import { writeDirectly } from './direct-orders.ts';
import { install, type Installation } from './installation.ts';
import { cpuMs, postmasterOf, type Figure, type Load } from './measure.ts';
import { untilShipped } from './shipped.ts';
import { startTemporalServer } from './temporal-server.ts';

const IN_FLIGHT = 50;
const WARM = 50;

/** A Temporal Service that orders are measured on, and the processes that it keeps busy besides ours. */
interface Stage {
  readonly name: string;
  readonly address: string;
  readonly processes: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/**
 * Orders from `POST /orders` until they are shipped, for growing numbers of orders, on the dev server and on
 * Temporal Server with PostgreSQL, beside a bare workflow of one activity on the same server and the same writes done
 * directly.
 */
export async function benchOrders(counts: readonly number[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const open of [openDevServer, openTemporalServer]) {
    const stage = await open();
    try {
      figures.push(...(await benchStage(stage, counts)));
    } finally {
      await stage.stop();
    }
  }
  return figures;
}

async function benchStage({ name, address, processes }: Stage, counts: readonly number[]): Promise<Figure[]> {
  const section = `orders, ${name}`;
  const installation = await install({ address });
  const { api, worker } = installation;
  if (worker === undefined) throw new Error('the worker is missing');
  const busy = {
    API: api.pid,
    worker: worker.pid,
    'PostgreSQL of ours': await postmasterOf(fromRunner('TEST_DATABASE_URL')),
    ...processes,
  };
  try {
    await furnish(installation.db);
    await placeAll(installation, WARM);
    const [first = WARM] = counts;
    const bare = [await bareWorkflows({ address, count: first, inFlight: IN_FLIGHT, type: 'bareLocal' })];
    const direct = await writeDirectly({ count: 10 * first, inFlight: IN_FLIGHT });
    const figures: Figure[] = [];
    for (const count of counts) {
      const before = Object.values(busy).map(cpuMs);
      const load = await placeAll(installation, count);
      const after = Object.values(busy).map(cpuMs);
      bare.push(await bareWorkflows({ address, count: first, inFlight: IN_FLIGHT, type: 'bareLocal' }));
      figures.push(...figuresOf({ section, count, load, bare: (bare.at(-2)! + bare.at(-1)!) / 2, direct }));
      figures.push(
        ...Object.keys(busy).map((of, index) => ({
          section,
          name: `${count} orders: CPU of ${of}`,
          value: ((after[index] ?? 0) - (before[index] ?? 0)) / count,
          unit: 'ms each',
        })),
      );
    }
    return [
      {
        section,
        name: 'bare workflow of one activity',
        value: bare.reduce((sum, rate) => sum + rate, 0) / bare.length,
        unit: '/s',
        ratio: 1,
      },
      { section, name: 'the same writes, done directly', value: direct, unit: '/s' },
      ...figures,
    ];
  } finally {
    await installation.close();
  }
}

function figuresOf({
  section,
  count,
  load,
  bare,
  direct,
}: {
  section: string;
  count: number;
  load: Load;
  bare: number;
  direct: number;
}): Figure[] {
  const name = `${count} orders`;
  return [
    { section, name: `${name}, POST → shipped`, value: load.perSecond, unit: '/s', ratio: load.perSecond / bare },
    { section, name: `${name}, ÷ direct writes`, value: load.perSecond / direct, unit: '' },
    { section, name: `${name}, p50`, value: load.p50Ms, unit: 'ms' },
    { section, name: `${name}, p99`, value: load.p99Ms, unit: 'ms' },
  ];
}

function placeAll({ post, system }: Installation, count: number): Promise<Load> {
  return untilShipped(system, {
    count,
    inFlight: IN_FLIGHT,
    place: async (index) => String((await post('/orders', orderOf(index)))['id']),
  });
}

async function openDevServer(): Promise<Stage> {
  const { address, pid, stop } = await startTemporaryTemporal();
  return { name: 'dev server', address, processes: { Temporal: pid }, stop };
}

async function openTemporalServer(): Promise<Stage> {
  const postgres = await startTemporaryPostgres({ isDurable: true });
  const server = await startTemporalServer(postgres.url);
  return {
    name: 'Temporal Server on PostgreSQL',
    address: server.address,
    processes: { Temporal: server.pid, 'PostgreSQL of Temporal': await postmasterOf(postgres.url) },
    stop: async () => {
      await server.stop();
      await postgres.stop();
    },
  };
}
