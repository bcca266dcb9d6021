import { PrismaPg } from '@prisma/adapter-pg';
import type pg from 'pg';
import { ConfigError } from '../config/setting.ts';
import { PrismaClient, type Prisma } from './generated/client.ts';
import { assertHoldsNone, whileHolding } from './held-connection.ts';
import { DATABASE_LIMITS_MS } from './limits.ts';
import { openPool, type PoolOptions } from './pool.ts';

export { ALL_TENANTS } from './tenants.ts';

/** A transaction that sees the rows of one tenant, or of all. */
export type Tx = Prisma.TransactionClient;

/** Access to PostgreSQL, always inside a transaction that names its tenant. */
export interface Db {
  /** Runs `work` in a transaction that row-level security confines to `tenantId`. */
  inTenant<Result>(tenantId: string, work: (tx: Tx) => Promise<Result>): Promise<Result>;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  /** The pool underneath, for what Prisma has no call for: NOTIFY, LISTEN, statistics. */
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

/** Opens a pool; no connection is made before the first use. */
export function openDb(options: PoolOptions): Db {
  const pool = openPool(options);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    pool,
    inTenant: async (tenantId, work) => {
      assertHoldsNone(pool);
      return prisma.$transaction(
        async (tx) => {
          await tx.$queryRaw`SELECT set_config('steadfast.tenant', ${tenantId}, true)`;
          return whileHolding(pool, () => work(tx));
        },
        { maxWait: 3_000, timeout: DATABASE_LIMITS_MS.clientTransaction },
      );
    },
    ping: async () => {
      await pool.query('SELECT 1');
    },
    close: async () => {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

/** Fails unless row-level security binds this connection: a superuser or an owner would see every tenant. */
export async function assertRowLevelSecurityBinds(db: Db): Promise<void> {
  const { rows } = await db.pool.query<{ role: string; bypasses: boolean; owns: boolean }>(`
    SELECT current_user AS role,
      (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS bypasses,
      EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema() AND tableowner = current_user) AS owns`);
  const { role, bypasses, owns } = rows[0]!;
  if (bypasses || owns) {
    throw new ConfigError(
      `DATABASE_ROLE: the application acts as "${role}", which ` +
        `${bypasses ? 'bypasses row-level security' : 'owns the tables'}; set DATABASE_ROLE=steadfast_app`,
    );
  }
}
