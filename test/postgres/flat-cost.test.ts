import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import { Problem } from '../../src/api/http/problem.ts';
import type { Db, SystemDb } from '../../src/postgres/client.ts';
import { LIST_CASES } from '../support/flat-lists.ts';
import { MESSAGING_CASES } from '../support/flat-messaging.ts';
import { ORDER_CASES } from '../support/flat-orders.ts';
import { ROUTE_CASES } from '../support/flat-routes.ts';
import { SLIP_CASES } from '../support/flat-slips.ts';
import { USER_CASES } from '../support/flat-users.ts';
import { fillLargeTenant } from '../support/large-tenant.ts';
import { countRows, type RowsRead } from '../support/rows-read.ts';
import { createDatabase, openTestDb, openTestSystem } from '../support/services.ts';

const CASES = [...USER_CASES, ...ORDER_CASES, ...SLIP_CASES, ...MESSAGING_CASES, ...LIST_CASES];
/** After so many times a named statement has the plan that it keeps. */
const UNTIL_KEPT = 6;

type Both = readonly [Db, SystemDb];

const database = await createDatabase();
const openOne = (): Both => [openTestDb(database.url, 1), openTestSystem(database.url, 1)];
const early = openOne();

test.before(async () => {
  await asSuperuser(`DO $$ DECLARE t text; BEGIN
    FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
      EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = off)', t);
    END LOOP; END $$`);
  for (const { prepare } of CASES) for (let n = 0; n < UNTIL_KEPT; n += 1) await (await prepare(...early))();
  // Routes share their statements, so that each of these is run often enough.
  for (const { prepare } of ROUTE_CASES) await (await prepare(...early))().catch(ignoreNotFound);
  await fillLargeTenant(database.url);
});

test.after.always(async () => {
  await closeBoth(early);
  await database.drop();
});

test.serial('rows read depend on what is asked for: statements that were planned while all was empty', (t) =>
  assertFlat(t, early),
);

test.serial('rows read depend on what is asked for: tables without statistics', assertFlatAnew);

test.serial('rows read depend on what is asked for: tables with statistics', async (t) => {
  await asSuperuser('ANALYZE');
  await assertFlatAnew(t);
});

async function assertFlatAnew(t: ExecutionContext): Promise<void> {
  const both = openOne();
  try {
    await assertFlat(t, both);
  } finally {
    await closeBoth(both);
  }
}

async function assertFlat(t: ExecutionContext, both: Both): Promise<void> {
  const counter = await countRows(
    both.map(({ pool }) => pool),
    database.url,
  );
  const tooMany: Record<string, RowsRead> = {};
  try {
    for (const { name, asked, prepare } of [...CASES, ...ROUTE_CASES]) {
      const reads = await counter.readsOf(await prepare(...both));
      const total = Object.values(reads).reduce((sum, rows) => sum + rows, 0);
      if (total > 10 * asked + 100) tooMany[name] = reads;
    }
  } finally {
    await counter.close();
  }
  t.deepEqual(tooMany, {});
}

/** Nobody is there yet. */
function ignoreNotFound(error: unknown): void {
  if (!(error instanceof Problem && error.code.endsWith('_not_found'))) throw error;
}

async function closeBoth(both: Both): Promise<void> {
  await Promise.all(both.map((each) => each.close()));
}

async function asSuperuser(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
