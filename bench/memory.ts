import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { refreshSyncSignal, userSyncWorkflowId } from '../src/workflows/user-sync/user-sync.messages.ts';
import type { TestProcess } from '../test/support/processes.ts';
import { until } from '../test/support/until.ts';
import { install, type Installation } from './installation.ts';
import { cpuMs, drive, residentKb, type Figure } from './measure.ts';

const IN_FLIGHT = 50;
const SIGNALS = 200;
const WARM_USERS = 300;
const BOUNDLESS = '1000000';

/**
 * The worker's memory with so many open users: what the process has, and after a collection what its isolates hold,
 * with glibc's arenas as they are and with two; and what a signal costs to a workflow in the cache, and to one that was
 * evicted and is replayed.
 */
export async function benchMemory(users: readonly [number, ...number[]]): Promise<Figure[]> {
  return [
    ...(await atDefaultSize(users, {})),
    ...(await atDefaultSize(users, { MALLOC_ARENA_MAX: '2' })),
    ...(await withoutBound(users[0])),
  ];
}

async function atDefaultSize(steps: readonly number[], env: Record<string, string>): Promise<Figure[]> {
  const installation = await install({ settings: env, preload: new URL('heap.ts', import.meta.url) });
  const worker = workerOf(installation);
  const [how = ''] = Object.entries(env).map(([name, value]) => `, ${name}=${value}`);
  try {
    const figures = [figure(`worker, no user${how}`, residentKb(worker.pid) / 1_024, 'MB')];
    let last = 0;
    for (const users of steps) {
      await register(installation, users - last);
      const who = `worker, ${users} open users${how}`;
      const resident = figure(who, residentKb(worker.pid) / 1_024, 'MB');
      figures.push(resident, ...(await heapsOf(worker, who)));
      console.error(
        figures
          .slice(-5)
          .map(({ name, value }) => `${name}: ${Math.round(value)} MB`)
          .join('\n'),
      );
      last = users;
    }
    if (how !== '') return figures;
    return [
      ...figures,
      figure('CPU of the worker, signal to a cached workflow', await signalCost(installation, 'desc'), 'ms'),
      figure('CPU of the worker, signal to an evicted workflow', await signalCost(installation, 'asc'), 'ms'),
    ];
  } finally {
    await installation.close();
  }
}

const heapSchema = z.object({ heapMb: z.number(), externalMb: z.number() });
const heapsSchema = z.object({ main: heapSchema, threads: z.array(heapSchema) });

/** What the isolates of the worker hold after a collection: that of its own code, and that of its workflows. */
async function heapsOf(worker: TestProcess, who: string): Promise<Figure[]> {
  const told = (): string[] => [...worker.output().matchAll(/^HEAPS (.*)$/gm)].map(([, line]) => line ?? '');
  const before = told().length;
  worker.send('SIGUSR2');
  await until(() => told().length > before, { what: 'the heaps' });
  const { main, threads } = heapsSchema.parse(JSON.parse(told().at(-1) ?? ''));
  const sum = (what: 'heapMb' | 'externalMb'): number => threads.reduce((total, heap) => total + heap[what], 0);
  return [
    figure(`${who}: heap of its own code`, main.heapMb, 'MB'),
    figure(`${who}: external to it`, main.externalMb, 'MB'),
    figure(`${who}: heap of workflows`, sum('heapMb'), 'MB'),
    figure(`${who}: external to it, of workflows`, sum('externalMb'), 'MB'),
  ];
}

async function withoutBound(users: number): Promise<Figure[]> {
  const installation = await install({ settings: { WORKFLOW_CACHE_SIZE: BOUNDLESS } });
  const { pid } = workerOf(installation);
  try {
    await register(installation, WARM_USERS);
    const before = residentKb(pid);
    await register(installation, users);
    return [figure('a cached workflow, in a cache without bound', (residentKb(pid) - before) / (2 * users), 'kB')];
  } finally {
    await installation.close();
  }
}

function figure(name: string, value: number, unit: string): Figure {
  return { section: 'memory', name, value, unit };
}

function workerOf({ worker }: Installation): NonNullable<Installation['worker']> {
  if (worker === undefined) throw new Error('the worker is missing');
  return worker;
}

/** Registers users and waits until both workflows of each have begun. */
async function register({ post, db }: Installation, count: number): Promise<void> {
  await drive(count, IN_FLIGHT, async () => {
    const authSubject = randomUUID();
    await post('/users', { authSubject, email: `${authSubject}@example.com` });
  });
  await until(
    async () =>
      (await db.inTenant('default', (tx) =>
        tx.user.count({ where: { OR: [{ profileRevision: 0 }, { syncStatus: 'pending' }] } }),
      )) === 0,
    {
      what: 'every workflow has begun',
      timeoutMs: 3_600_000,
    },
  );
}

/**
 * CPU time of the worker for one signal by which a workflow writes its row again, of the newest users or of the oldest.
 */
async function signalCost(installation: Installation, order: 'asc' | 'desc'): Promise<number> {
  const { db, client } = installation;
  const users = await db.inTenant('default', (tx) =>
    tx.user.findMany({ orderBy: { createdAt: order }, take: SIGNALS, select: { id: true, syncRevision: true } }),
  );
  const where = { id: { in: users.map(({ id }) => id) } };
  const awaited = users.reduce((sum, { syncRevision }) => sum + syncRevision + 1, 0);
  const { pid } = workerOf(installation);
  const before = cpuMs(pid);
  await drive(users.length, 20, async (index) => {
    await client.workflow.getHandle(userSyncWorkflowId(users[index]?.id ?? '')).signal(refreshSyncSignal);
  });
  await until(
    async () => {
      const { _sum } = await db.inTenant('default', (tx) => tx.user.aggregate({ _sum: { syncRevision: true }, where }));
      return (_sum.syncRevision ?? 0) >= awaited;
    },
    { what: 'every signal had its effect', timeoutMs: 600_000 },
  );
  return (cpuMs(pid) - before) / users.length;
}
