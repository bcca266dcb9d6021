import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { createPostgresBus } from '../src/messaging/postgres/postgres-bus.ts';
import { EVENTS, TOPICS } from '../src/events/user-events.ts';
import { temporalAddress } from '../test/support/services.ts';
import { until } from '../test/support/until.ts';
import '../test/support/quiet.ts';
import { bareWorkflows } from './bare-workflows.ts';
import { install, type Installation } from './installation.ts';
import { cpuMs, drive, type Figure } from './measure.ts';

const IN_FLIGHT = 20;

/** Register → complete → synced by three services, with the CPU time of each process, beside a bare workflow. */
export async function benchCycle(count: number): Promise<Figure[]> {
  const installation = await install();
  const downstream = await confirmEverything(installation);
  const { api, worker } = installation;
  if (worker === undefined) throw new Error('the worker is missing');
  try {
    const bareBefore = await bareWorkflows({ address: temporalAddress(), count, inFlight: IN_FLIGHT });
    await drive(20, IN_FLIGHT, () => cycle(installation)); // warm
    const before = [api.pid, worker.pid].map(cpuMs);
    const full = await drive(count, IN_FLIGHT, () => cycle(installation));
    const after = [api.pid, worker.pid].map(cpuMs);
    const bareAfter = await bareWorkflows({ address: temporalAddress(), count, inFlight: IN_FLIGHT });
    const bare = (bareBefore + bareAfter) / 2;
    const cpu = (index: number): number => ((after[index] ?? 0) - (before[index] ?? 0)) / count;
    return [
      { section: 'cycle', name: 'bare workflow of one activity', value: bare, unit: '/s', ratio: 1 },
      {
        section: 'cycle',
        name: 'register → complete → synced by 3',
        value: full.perSecond,
        unit: '/s',
        ratio: full.perSecond / bare,
      },
      { section: 'cycle', name: 'p50', value: full.p50Ms, unit: 'ms' },
      { section: 'cycle', name: 'p99', value: full.p99Ms, unit: 'ms' },
      { section: 'cycle', name: 'CPU of the API', value: cpu(0), unit: 'ms each' },
      { section: 'cycle', name: 'CPU of the worker', value: cpu(1), unit: 'ms each' },
    ];
  } finally {
    await downstream.close();
    await installation.close();
  }
}

async function cycle({ post, db }: Installation): Promise<void> {
  const authSubject = randomUUID();
  const id = String((await post('/users', { authSubject, email: `${authSubject}@example.com`, name: 'Ada' }))['id']);
  await post(`/users/state-management/${id}/profile/complete`, { customerId: 'c-1', customerKind: 'company' });
  await until(
    async () =>
      (await db.inTenant('default', (tx) => tx.user.count({ where: { id, syncStatus: 'synced', version: 2 } }))) === 1,
    {
      what: 'synced',
      timeoutMs: 120_000,
    },
  );
}

/** Other services: whatever they are sent they confirm. */
async function confirmEverything({ system, config }: Installation): Promise<{ close(): Promise<void> }> {
  const bus = createPostgresBus({
    pool: system.pool,
    partitions: config.BUS_PARTITIONS,
    pollMs: 50,
    retryDelaysMs: [],
    park: async () => {},
  });
  await bus.subscribe({
    group: 'downstream',
    topics: [TOPICS.userCreated, TOPICS.userUpdated],
    handle: async ({ tenantId, topic, payload }) => {
      const {
        data: { userId, version, services },
      } = z.union([EVENTS[TOPICS.userCreated], EVENTS[TOPICS.userUpdated]]).parse(JSON.parse(payload));
      await bus.publish(
        services.map((service) => {
          const messageId = `${service}:${userId}:${version}:${topic}:${randomUUID()}`;
          const event = {
            specversion: '1.0',
            id: messageId,
            source: service,
            type: TOPICS.syncConfirmed,
            data: { userId, service, userVersion: version },
          };
          return { tenantId, messageId, topic: TOPICS.syncConfirmed, key: userId, payload: JSON.stringify(event) };
        }),
      );
    },
  });
  return bus;
}
