import test from 'ava';
import pg from 'pg';
import { readLog } from '../../src/messaging/log/log.ts';
import { BUS_LOG } from '../../src/messaging/postgres/bus-log.ts';
import { createDatabase, openTestSystem } from '../support/services.ts';
import { until } from '../support/until.ts';

const INSERT = `INSERT INTO bus_messages (tenant_id, message_id, topic, key, partition, payload)
  SELECT $1, 'm' || n, 't', 'k', 0, repeat('x', $2) FROM generate_series(1, $3) AS n`;

async function setUp(t: { teardown: (end: () => Promise<void>) => void }) {
  const database = await createDatabase();
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  const system = openTestSystem(database.url, 2);
  t.teardown(async () => {
    await owner.end();
    await system.close();
    await database.drop();
  });
  const readOnce = () =>
    readLog(system.pool, {
      log: BUS_LOG,
      columns: ['message_id', 'payload'],
      from: [{ partition: 0, cursor: { xid: '0', position: '0' } }],
      limit: 200,
    });
  /** What is read once the transactions that other tests have open let it be read. */
  const read = async () => {
    await until(async () => (await readOnce()).length > 0, { what: 'the messages' });
    return readOnce();
  };
  return { owner, read };
}

test('a message is refused where it is written for a tenant that no token can have, and for its size', async (t) => {
  const { owner } = await setUp(t);
  for (const role of ['steadfast_app', 'steadfast_system', 'steadfast_bus_member']) {
    await owner.query(`SET ROLE ${role}`);
    await owner.query(`SELECT set_config('steadfast.tenant', '*', false)`);
    for (const [tenant, bytes] of [
      ['*', 1],
      ['', 1],
      ['Acme', 1],
      ['-a', 1],
      ['a'.repeat(64), 1],
      ['acme', 1_000_001],
    ] as const) {
      const refused = await t.throwsAsync(owner.query(INSERT, [tenant, bytes, 1]), undefined, `${role} ${tenant}`);
      t.regex(refused.message, /bus_messages_(tenant|size)_check/);
    }
    await t.notThrowsAsync(owner.query(INSERT, ['acme', 1_000_000, 1]));
  }
});

for (const [table, statement] of [
  [
    'dead_letters',
    `INSERT INTO dead_letters (tenant_id, id, source, type, cause, detail, message_id, key, payload)
      VALUES ('acme', gen_random_uuid(), 's', 't', 'c', 'd', 'm', 'k', repeat('x', 8000001))`,
  ],
  ['inbox_messages', `INSERT INTO inbox_messages VALUES ('acme', 'c', repeat('x', 2001))`],
  [
    'pending_starts',
    `INSERT INTO pending_starts (tenant_id, kind, workflow_type, workflow_id, input)
      VALUES ('acme', 'start', 't', 'w', to_jsonb(repeat('x', 2000001)))`,
  ],
] as const)
  test(`a row of ${table} has a size that none exceeds, whoever writes it`, async (t) => {
    const { owner } = await setUp(t);
    for (const role of ['postgres', 'steadfast_tenant', 'steadfast_system']) {
      await owner.query(`SET ROLE ${role}; SET steadfast.tenant = 'acme'`);
      await t.throwsAsync(owner.query(statement), { message: new RegExp(`${table}_size_check`) }, role);
    }
  });

test('a reader takes no more bytes at a time than it can hold, and goes on behind them', async (t) => {
  const { owner, read } = await setUp(t);
  await owner.query(INSERT, ['acme', 900_000, 20]);
  const rows = await read();
  t.deepEqual(
    rows.map(({ message_id }) => message_id),
    Array.from({ length: 9 }, (_, n) => `m${n + 1}`),
  );
});

test('of a message from before the limits a reader takes the beginning', async (t) => {
  const { owner, read } = await setUp(t);
  await owner.query('ALTER TABLE bus_messages DROP CONSTRAINT bus_messages_size_check');
  await owner.query(INSERT, ['acme', 50_000_000, 1]);
  const [row] = await read();
  t.is(row?.payload, `${'x'.repeat(1_000)} … cut, of 50000000 bytes`);
});
