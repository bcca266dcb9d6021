import { PrismaPg } from '@prisma/adapter-pg';
import type pg from 'pg';
import { PrismaClient, type Prisma } from './generated/client.ts';
import { assertHoldsNone, whileHolding } from './held-connection.ts';
import { DATABASE_LIMITS_MS } from './limits.ts';
import { openSystemPool, openTenantPool, type PoolOptions, type SystemPool, type TenantPool } from './pool.ts';

/** A transaction that sees the rows of one tenant, or of all. */
export type Tx = Prisma.TransactionClient;

/** What both ways into PostgreSQL have. */
interface Access<Pool extends pg.Pool> {
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  /** Resolves once a first transaction has been through, with all that is compiled for it. */
  warm(): Promise<void>;
  /** The pool underneath, for what Prisma has no call for: NOTIFY, LISTEN, statistics. */
  readonly pool: Pool;
  close(): Promise<void>;
}

/** The application's access to PostgreSQL, always inside a transaction that names its tenant. */
export interface Db extends Access<TenantPool> {
  /** Runs `work` in a transaction that row-level security confines to `tenantId`. */
  inTenant<Result>(tenantId: string, work: (tx: Tx) => Promise<Result>): Promise<Result>;
}

/** Access to the rows of all tenants: for relays, audits, checks and clean-up, never for a caller's request. */
export interface SystemDb extends Access<SystemPool> {
  /** Runs `work` in a transaction that sees every tenant. */
  acrossTenants<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result>;
}

/** Opens the application's pool; no connection is made before the first use. */
export function openDb(options: PoolOptions): Db {
  const { transact, ...access } = openAccess(openTenantPool(options));
  return {
    ...access,
    inTenant: (tenantId, work) =>
      transact(async (tx) => {
        await tx.$queryRaw`SELECT set_config('steadfast.tenant', ${tenantId}, true)`;
        return work(tx);
      }),
  };
}

/** Opens the pool of what looks across tenants; no connection is made before the first use. */
export function openSystemDb(options: PoolOptions): SystemDb {
  const { transact, ...access } = openAccess(openSystemPool(options));
  return { ...access, acrossTenants: transact };
}

function openAccess<Pool extends pg.Pool>(
  pool: Pool,
): Access<Pool> & { readonly transact: <Result>(this: void, work: (tx: Tx) => Promise<Result>) => Promise<Result> } {
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  const transact = async <Result>(work: (tx: Tx) => Promise<Result>): Promise<Result> => {
    assertHoldsNone(pool);
    return prisma.$transaction((tx) => whileHolding(pool, () => work(tx)), {
      maxWait: 3_000,
      timeout: DATABASE_LIMITS_MS.clientTransaction,
    });
  };
  return {
    pool,
    transact,
    warm: () => transact(async (tx) => void (await tx.$queryRaw`SELECT 1`)),
    ping: async () => {
      await pool.query('SELECT 1');
    },
    close: async () => {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}
