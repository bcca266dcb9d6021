/**
 * What the form of our ids costs: write-ahead log, size of the indexes and PostgreSQL's CPU for 30,000 orders that are
 * placed with random ids (version 4) or with ids in the order of time (version 7). Run it by itself:
 * `node bench/ids.ts`; it starts a PostgreSQL.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { loadConfig } from '../src/config/config.ts';
import { insertOrder } from '../src/db/orders/place-order.ts';
import { openDb } from '../src/postgres/client.ts';
import { newOrder } from '../test/support/shop.ts';
import { migrate } from '../tools/migrate.ts';
import { startTemporaryPostgres } from '../tools/temporary-postgres.ts';
import { cpuMs } from './measure.ts';

const ORDERS = 30_000;
/** As with a checkpoint every few minutes; the first change of a page behind one is logged with the whole page. */
const ORDERS_A_CHECKPOINT = 3_000;

const FORMS = {
  random: () => randomUUID(),
  time: () => {
    const bytes = randomBytes(16);
    bytes.writeUIntBE(Date.now(), 0, 6);
    bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
    bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  },
};

async function measure(databaseUrl: string, newId: () => string): Promise<void> {
  await migrate({ databaseUrl });
  const admin = openDb({ url: databaseUrl, role: undefined, poolSize: 1, applicationName: 'ids' });
  const db = openDb({ url: databaseUrl, role: loadConfig({}).DATABASE_ROLE, poolSize: 1, applicationName: 'ids' });
  const { rows } = await db.pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const pid = rows[0]?.pid ?? 0;
  const [logBefore, cpuBefore] = [await logged(admin), cpuMs(pid)];
  for (let n = 0; n < ORDERS; n += 1) {
    if (n % ORDERS_A_CHECKPOINT === 0) await admin.pool.query('CHECKPOINT');
    await insertOrder(db.pool, newOrder({ orderId: newId() }));
  }
  const cpu = (cpuMs(pid) - cpuBefore) / ORDERS;
  console.log(`  ${((await logged(admin)) - logBefore).toFixed(0)} MB of log, ${cpu.toFixed(3)} ms of CPU an order`);
  const sizes = await admin.pool.query<{ name: string; mb: number }>(
    `SELECT indexrelname AS name, pg_relation_size(indexrelid)::float8 / 1e6 AS mb FROM pg_stat_user_indexes
      WHERE relname IN ('orders', 'order_items', 'process_states', 'process_events') ORDER BY 1`,
  );
  console.log(sizes.rows.map(({ name, mb }) => `  ${name} ${mb.toFixed(1)} MB`).join('\n'));
  await Promise.all([db.close(), admin.close()]);
}

/** Megabytes of the write-ahead log so far. */
async function logged({ pool }: ReturnType<typeof openDb>): Promise<number> {
  const { rows } = await pool.query<{ mb: number }>(
    `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 / 1e6 AS mb`,
  );
  return rows[0]?.mb ?? 0;
}

const postgres = await startTemporaryPostgres({ isDurable: true });
try {
  const maintenance = openDb({ url: postgres.url, role: undefined, poolSize: 1, applicationName: 'ids' });
  for (const round of [1, 2]) {
    for (const [form, newId] of Object.entries(FORMS)) {
      await maintenance.pool.query(`CREATE DATABASE ${form}_${round}`);
      const url = new URL(postgres.url);
      url.pathname = `/${form}_${round}`;
      console.log(`ids by ${form}`);
      await measure(url.href, newId);
    }
  }
  await maintenance.close();
} finally {
  await postgres.stop();
}
process.exit();
