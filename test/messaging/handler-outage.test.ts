import test from 'ava';
import { parkInDeadLetters } from '../../src/messaging/dead-letters/park.ts';
import { createPostgresBus } from '../../src/messaging/postgres/postgres-bus.ts';
import { isDatabaseAway } from '../../src/postgres/errors.ts';
import { once } from '../../src/messaging/inbox.ts';
import { startRestartablePostgres } from '../support/restartable-postgres.ts';
import { until } from '../support/until.ts';
import { openTestDb, openTestSystem } from '../support/services.ts';

test('a message whose handler met an outage of PostgreSQL takes effect afterwards, and is not parked', async (t) => {
  const postgres = await startRestartablePostgres();
  t.teardown(() => postgres.remove());
  const db = openTestDb(postgres.url);
  t.teardown(() => db.close());
  const system = openTestSystem(postgres.url);
  t.teardown(() => system.close());
  const failures: unknown[] = [];
  const bus = createPostgresBus({
    pool: system.pool,
    park: parkInDeadLetters(system),
    partitions: 1,
    pollMs: 50,
    retryDelaysMs: [10],
    leaseMs: 600_000,
    isInfrastructureAway: isDatabaseAway,
    onDelivery: ({ error }) => {
      if (error !== undefined) failures.push(error);
    },
  });
  t.teardown(() => bus.close());
  const handling = Promise.withResolvers<void>();
  const outage = Promise.withResolvers<void>();
  await bus.subscribe({
    group: 'g',
    topics: ['topic'],
    handle: async ({ tenantId, messageId }) => {
      handling.resolve();
      await outage.promise;
      await db.inTenant(tenantId, (tx) => once(tx, { tenantId, consumer: 'g', messageId }));
    },
  });
  await bus.publish([{ tenantId: 'acme', messageId: 'm', topic: 'topic', key: 'k', payload: '' }]);
  await handling.promise;
  await postgres.kill();
  outage.resolve();
  await until(async () => failures.length >= 3, { what: 'more attempts than there are retries' });
  t.deepEqual(
    failures.filter((error) => !isDatabaseAway(error)),
    [],
  );
  await postgres.start();
  await until(() => system.acrossTenants(async (tx) => (await tx.inboxMessage.count()) === 1).catch(() => false), {
    what: 'the effect',
  });
  t.is(await system.acrossTenants((tx) => tx.deadLetter.count()), 0);
});
