import { randomUUID, randomUUIDv7 } from 'node:crypto';
import pg from 'pg';
import { insertOrder } from '../src/db/orders/place-order.ts';
import { newOrder } from '../test/support/shop.ts';
import { openScope } from '../test/support/scope.ts';
import { createWorld } from '../test/support/world.ts';
import { drive, type Figure } from './measure.ts';

/** As with a checkpoint every few minutes; the first change of a page behind one is logged with the whole page. */
const ORDERS_A_CHECKPOINT = 3_000;

/** Write-ahead log and size of the indexes of orders that are placed with random ids, and with ids in order of time. */
export async function benchIds(orders: number): Promise<Figure[]> {
  const random = await measure(orders, randomUUID);
  const inTime = await measure(orders, randomUUIDv7);
  return [
    figure('log an order, random ids', random.logKb, 'kB'),
    figure('log an order, ids in order of time', inTime.logKb, 'kB', inTime.logKb / random.logKb),
    figure('indexes, random ids', random.indexMb, 'MB'),
    figure('indexes, ids in order of time', inTime.indexMb, 'MB', inTime.indexMb / random.indexMb),
  ];
}

function figure(name: string, value: number, unit: string, ratio?: number): Figure {
  return { section: 'ids', name, value, unit, ...(ratio === undefined ? {} : { ratio }) };
}

async function measure(orders: number, newId: () => string): Promise<{ logKb: number; indexMb: number }> {
  const scope = openScope();
  try {
    const { db, databaseUrl } = await createWorld(scope);
    const owner = new pg.Client({ connectionString: databaseUrl });
    await owner.connect();
    scope.teardown(() => owner.end());
    const ask = async (sql: string): Promise<number> => Number((await owner.query<{ is: string }>(sql)).rows[0]?.is);
    const logged = `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS is`;
    const before = await ask(logged);
    await drive(orders, 4, async (index) => {
      if (index % ORDERS_A_CHECKPOINT === 0) await owner.query('CHECKPOINT');
      await insertOrder(db.pool, newOrder({ orderId: newId() }));
    });
    return {
      logKb: ((await ask(logged)) - before) / orders / 1_000,
      indexMb: (await ask('SELECT sum(pg_relation_size(indexrelid)) AS is FROM pg_stat_user_indexes')) / 1e6,
    };
  } finally {
    await scope.close();
  }
}
