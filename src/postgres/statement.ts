import pg from 'pg';
import { DATABASE_LIMITS_MS } from './limits.ts';
import type { MemberPool, SystemPool, TenantPool } from './pool.ts';

/** A statement and how it is to be planned. */
export interface Statement {
  /** Each connection keeps the plan under this name; without one it is planned each time. */
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
  /** Reads rows in the order of an index, however many the planner expects; see `useOrderedIndex`. */
  readonly isOrdered?: boolean;
}

/** A setting of the transaction, and its value; as SQL that gives no row: only the settings count. */
type Settings = readonly (readonly [name: string, value: string])[];
const ORDERED: Settings = [
  ['enable_sort', 'off'],
  ['enable_bitmapscan', 'off'],
];

/**
 * Runs one statement in a transaction of its own, which row-level security confines to `tenantId`, in one round trip:
 * PostgreSQL makes one transaction of all that comes before a `Sync`, here the setting of the tenant and the statement.
 */
export function runStatement<Row extends pg.QueryResultRow>(
  pool: TenantPool,
  tenantId: string,
  statement: Statement,
): Promise<Row[]> {
  return run(pool, [['steadfast.tenant', tenantId]], statement);
}

/** Runs one statement in a transaction of its own; or in the one at work, whose tenant it must be. */
export async function runStatementIn<Row extends pg.QueryResultRow>(
  at: TenantPool | pg.ClientBase,
  tenantId: string,
  statement: Omit<Statement, 'isOrdered'>,
): Promise<Row[]> {
  if (at instanceof pg.Pool) return runStatement<Row>(at, tenantId, statement);
  return (await at.query<Row>({ ...statement, values: [...statement.values] })).rows;
}

/** Runs one statement in a transaction of its own that sees the rows of every tenant, in one round trip. */
export function runSystemStatement<Row extends pg.QueryResultRow>(
  pool: SystemPool | MemberPool,
  statement: Statement,
): Promise<Row[]> {
  return run(pool, [], statement);
}

async function run<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  own: Settings,
  { values, isOrdered = false, ...statement }: Statement,
): Promise<Row[]> {
  const settings = isOrdered ? [...own, ...ORDERED] : own;
  const client = await pool.connect();
  // A connection that breaks fails the statement; unheard, its 'error' event would end the process.
  const ignore = () => {};
  client.on('error', ignore);
  let isDone = false;
  try {
    const rows = await new Promise<Row[]>((resolve, reject) => {
      const query = new pg.Query<Row>({ ...statement, values: [...values] }, (error, results) => {
        if (error) reject(error);
        else resolve([results].flat().at(-1)?.rows ?? []); // one result for each of the two
      });
      client.query(
        Object.assign(settings.length === 0 ? query : after(settings, query), {
          query_timeout: DATABASE_LIMITS_MS.answer,
        }),
      );
    });
    isDone = true;
    return rows;
  } finally {
    client.off('error', ignore);
    // pg may take a statement that failed for one that the connection has prepared.
    client.release(!isDone);
  }
}

/** The query, with the settings sent in front of it in the same packet. */
function after<Query extends pg.Query>(settings: Settings, query: Query): Query {
  const set = settings.map(([name], index) => `set_config('${name}', $${index + 1}, true) IS NULL`).join(' OR ');
  const { submit } = query;
  query.submit = (connection) => {
    connection.stream.cork();
    try {
      connection.parse({ name: '', text: `SELECT WHERE ${set}`, types: [] }, true);
      connection.bind({ values: settings.map(([, value]) => value) }, true);
      connection.execute({}, true);
      return submit.call(query, connection);
    } finally {
      connection.stream.uncork();
    }
  };
  return query;
}
