import test from 'ava';
import pg from 'pg';
import { createDatabase, temporalAddress } from './services.ts';
import { startTimeSkippingTemporal } from './temporal.ts';
import { hasNamespace } from '../../tools/launcher/temporal.ts';

test('createDatabase gives a database with the migrations applied', async (t) => {
  const database = await createDatabase();
  t.teardown(() => database.drop());
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  t.teardown(() => client.end());
  const { rows } = await client.query('SELECT count(*)::int AS users FROM users');
  t.deepEqual(rows, [{ users: 0 }]);
});

test('the shared dev server has the default namespace', async (t) => {
  t.true(await hasNamespace(temporalAddress(), 'default'));
});

test('startTimeSkippingTemporal skips seven days', async (t) => {
  const { env } = await startTimeSkippingTemporal(t);
  const beforeMs = await env.currentTimeMs();
  await env.sleep('7 days');
  t.true((await env.currentTimeMs()) - beforeMs >= 7 * 86_400_000);
});
