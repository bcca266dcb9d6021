/**
 * What planning costs: PostgreSQL's CPU for an order that is placed, validated, reserved, paid and shipped, three at a
 * time on one connection, by the mode of its plan cache, each in a database of its own. Run it by itself:
 * `node bench/planning.ts`; it starts a PostgreSQL.
 */
import pg from 'pg';
import { openTestDb } from '../test/support/services.ts';
import { giveLogins } from '../tools/logins.ts';
import { ordersAfter } from '../test/support/flat-orders.ts';
import { migrate } from '../tools/migrate.ts';
import { startTemporaryPostgres } from '../tools/temporary-postgres.ts';
import { cpuMs, median } from './measure.ts';

const MODES = ['force_custom_plan', 'auto', 'force_generic_plan'] as const;
const REPETITIONS = 5;
const WARM_UP_ROUNDS = 20;
const ROUNDS = 100;
const ORDERS_A_ROUND = 3;

/** Milliseconds of CPU for an order, and how many plans of named statements were made for their values. */
async function measure(url: string, mode: string): Promise<{ ms: number; custom: number; generic: number }> {
  const db = openTestDb(url, 1);
  await db.pool.query(`SET plan_cache_mode = ${mode}`);
  const { rows } = await db.pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const pid = rows[0]?.pid ?? 0;
  const round = () => ordersAfter(db, ['validate', 'reserve', 'pay', 'ship']);
  for (let n = 0; n < WARM_UP_ROUNDS; n += 1) await round();
  const before = cpuMs(pid);
  for (let n = 0; n < ROUNDS; n += 1) await round();
  const ms = (cpuMs(pid) - before) / (ROUNDS * ORDERS_A_ROUND);
  const plans = await db.pool.query<{ custom: number; generic: number }>(
    `SELECT coalesce(sum(custom_plans), 0)::int AS custom, coalesce(sum(generic_plans), 0)::int AS generic
      FROM pg_prepared_statements`,
  );
  await db.close();
  return { ms, custom: 0, generic: 0, ...plans.rows[0] };
}

const postgres = await startTemporaryPostgres();
try {
  const admin = new pg.Client({ connectionString: postgres.url });
  await admin.connect();
  const results = new Map(MODES.map((mode) => [mode, [] as number[]]));
  const template = new URL(postgres.url);
  template.pathname = '/planning';
  await admin.query('CREATE DATABASE planning');
  await migrate({ databaseUrl: template.href });
  await giveLogins(template.href, () => decodeURIComponent(template.password));
  for (let n = 0; n < REPETITIONS; n += 1) {
    for (const mode of MODES) {
      const name = `${mode}_${n}`;
      await admin.query(`CREATE DATABASE ${name} TEMPLATE planning`);
      const url = new URL(postgres.url);
      url.pathname = `/${name}`;
      const { ms, custom, generic } = await measure(url.href, mode);
      results.get(mode)?.push(ms);
      console.log(`${mode}: ${ms.toFixed(2)} ms; ${custom} plans for their values, ${generic} for any`);
    }
  }
  for (const [mode, each] of results)
    console.log(`${mode}: ${median(each).toFixed(2)} ms of PostgreSQL's CPU an order`);
  await admin.end();
} finally {
  await postgres.stop();
}
