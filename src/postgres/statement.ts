import pg from 'pg';
import { DATABASE_LIMITS_MS } from './limits.ts';

/** A statement and how it is to be planned. */
export interface Statement {
  /** Each connection keeps the plan under this name; without one it is planned each time. */
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
  /** Reads rows in the order of an index, however many the planner expects; see `useOrderedIndex`. */
  readonly isOrdered?: boolean;
}

/** No row: only the settings count. */
const SET_TENANT = `SELECT WHERE set_config('steadfast.tenant', $1, true) IS NULL`;
const SET_TENANT_AND_ORDER =
  `${SET_TENANT} OR set_config('enable_sort', 'off', true) IS NULL OR ` +
  `set_config('enable_bitmapscan', 'off', true) IS NULL`;

/**
 * Runs one statement in a transaction of its own, which row-level security confines to `tenantId`, in one round trip:
 * PostgreSQL makes one transaction of all that comes before a `Sync`, here the setting of the tenant and the statement.
 */
export async function runStatement<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  tenantId: string,
  { values, isOrdered = false, ...statement }: Statement,
): Promise<Row[]> {
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
        Object.assign(after(isOrdered ? SET_TENANT_AND_ORDER : SET_TENANT, tenantId, query), {
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
function after<Query extends pg.Query>(settings: string, tenantId: string, query: Query): Query {
  const { submit } = query;
  query.submit = (connection) => {
    connection.stream.cork();
    try {
      connection.parse({ name: '', text: settings, types: [] }, true);
      connection.bind({ values: [tenantId] }, true);
      connection.execute({}, true);
      return submit.call(query, connection);
    } finally {
      connection.stream.uncork();
    }
  };
  return query;
}
