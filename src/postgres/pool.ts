import pg from 'pg';
import { assertHoldsNone } from './held-connection.ts';
import { DATABASE_LIMITS_MS } from './limits.ts';

/** How to reach PostgreSQL. */
export interface PoolOptions {
  readonly url: string;
  /** Role the session assumes; it must neither own the tables nor bypass row-level security. */
  readonly role: string | undefined;
  readonly poolSize: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
}

/** Connection settings that everything here relies on; see docs/architecture.md, "Time" and "The cursor". */
function connectionOptions({ url, role, applicationName }: PoolOptions): pg.PoolConfig {
  const settings = [
    'timezone=UTC',
    `idle_in_transaction_session_timeout=${DATABASE_LIMITS_MS.idleInTransaction}`,
    `lock_timeout=${DATABASE_LIMITS_MS.lock}`,
    `statement_timeout=${DATABASE_LIMITS_MS.statement}`,
    `transaction_timeout=${DATABASE_LIMITS_MS.transaction}`,
    // See docs/adr/0018-planning-of-statements.md.
    'enable_seqscan=off',
    'plan_cache_mode=force_generic_plan',
    'jit=off',
    ...(role === undefined ? [] : [`role=${role}`]),
  ];
  return {
    connectionString: url,
    application_name: applicationName,
    options: settings.map((setting) => `-c ${setting}`).join(' '),
    connectionTimeoutMillis: 3_000,
  };
}

/**
 * Opens a pool; no connection is made before the first use. Who holds a connection of it in a transaction can't have a
 * second one: it throws.
 */
export function openPool(options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({ ...connectionOptions(options), max: options.poolSize });
  // oxlint-disable-next-line typescript/unbound-method -- applied to the pool that it is called on
  pool.connect = new Proxy(pool.connect, {
    apply: (connect, self, args) => {
      assertHoldsNone(pool);
      return Reflect.apply(connect, self, args);
    },
  });
  pool.on('error', () => {}); // an idle connection broke; the next use opens another or reports
  return pool;
}
