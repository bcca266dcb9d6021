import pg from 'pg';
import { assertHoldsNone } from './held-connection.ts';
import { DATABASE_LIMITS_MS } from './limits.ts';

/** How to reach PostgreSQL. */
export interface PoolOptions {
  readonly url: string;
  readonly poolSize: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
}

/** Connection settings that everything here relies on; see docs/architecture.md, "Time" and "The cursor". */
function connectionOptions({ url, applicationName }: PoolOptions, role: string | undefined): pg.PoolConfig {
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

/** The application's connections: a transaction sees the rows of the tenant that it names. */
export type TenantPool = pg.Pool & { readonly reach: 'tenant' };
/** Connections for what looks across tenants, never for a caller's request: they see the rows of all. */
export type SystemPool = pg.Pool & { readonly reach: 'system' };
/** Connections of another team's service: they see what the bus has for it. */
export type MemberPool = pg.Pool & { readonly reach: 'member' };

/** Opens the application's pool. */
export function openTenantPool(options: PoolOptions): TenantPool {
  return Object.assign(openPool(options), { reach: 'tenant' as const });
}

/** Opens the pool of what looks across tenants. */
export function openSystemPool(options: PoolOptions): SystemPool {
  return Object.assign(openPool(options), { reach: 'system' as const });
}

/** Opens the pool of another team's service, whose sessions assume `role`. */
export function openMemberPool({ role, ...options }: PoolOptions & { readonly role: string }): MemberPool {
  return Object.assign(openPool(options, role), { reach: 'member' as const });
}

/**
 * Opens a pool; no connection is made before the first use. Who holds a connection of it in a transaction can't have a
 * second one: it throws.
 */
function openPool(options: PoolOptions, role?: string): pg.Pool {
  const pool = new pg.Pool({ ...connectionOptions(options, role), max: options.poolSize });
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
