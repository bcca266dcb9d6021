import test from 'ava';
import { parkInDeadLetters } from '../../src/messaging/dead-letters/park.ts';
import { createPostgresBus } from '../../src/messaging/postgres/postgres-bus.ts';
import { ALL_TENANTS } from '../../src/postgres/client.ts';
import { isDatabaseAway } from '../../src/postgres/errors.ts';
import { once } from '../../src/messaging/inbox.ts';
import { startRestartablePostgres } from '../support/restartable-postgres.ts';
import { until } from '../support/until.ts';
import { openTestDb } from './postgres-harness.ts';

test('a message whose handler met an outage of PostgreSQL takes effect afterwards, and is not parked', async (t) => {
  const postgres = await startRestartablePostgres();
  t.teardown(() => postgres.remove());
  const db = openTestDb(postgres.url);
  t.teardown(() => db.close());
  const failures: unknown[] = [];
  const bus = createPostgresBus({
    pool: db.pool,
    park: parkInDeadLetters(db),
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
  await until(() => db.inTenant(ALL_TENANTS, async (tx) => (await tx.inboxMessage.count()) === 1).catch(() => false), {
    what: 'the effect',
  });
  t.is(await db.inTenant(ALL_TENANTS, (tx) => tx.deadLetter.count()), 0);
});
