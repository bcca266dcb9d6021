import type pg from 'pg';
import { whileHolding } from './held-connection.ts';
import type { MemberPool, SystemPool, TenantPool } from './pool.ts';

/**
 * Runs `work` in a transaction without Prisma, for bulk reads and writes; row-level security confines it to `tenantId`.
 */
export function rawTransaction<Result>(
  pool: TenantPool,
  tenantId: string,
  work: (client: pg.ClientBase) => Promise<Result>,
): Promise<Result> {
  return transact(
    pool,
    (client) => `BEGIN; SELECT set_config('steadfast.tenant', ${client.escapeLiteral(tenantId)}, true)`,
    work,
  );
}

/** Runs `work` in a transaction without Prisma that sees the rows of every tenant. */
export function systemTransaction<Result>(
  pool: SystemPool | MemberPool,
  work: (client: pg.ClientBase) => Promise<Result>,
): Promise<Result> {
  return transact(pool, () => 'BEGIN', work);
}

async function transact<Result>(
  pool: pg.Pool,
  begin: (client: pg.ClientBase) => string,
  work: (client: pg.ClientBase) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  // A connection that breaks between two statements fails the next one; unheard, its 'error' event would end the
  // process.
  const ignore = () => {};
  client.on('error', ignore);
  let broken = false;
  try {
    await client.query(begin(client));
    const result = await whileHolding(pool, () => work(client));
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {
      broken = true;
    });
    throw error;
  } finally {
    client.off('error', ignore);
    client.release(broken);
  }
}
