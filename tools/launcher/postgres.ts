import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { clusterCommand, clusterUrl, createCluster } from '../embedded-postgres.ts';
import { showPostgresProblems } from './child-log.ts';
import type { Service } from './supervisor.ts';

const DATABASE = 'steadfast';

/** The embedded PostgreSQL of a data folder, made at the first start; its password is kept beside it. */
export async function embeddedPostgres({
  dataDir,
  port,
}: {
  dataDir: string;
  port: number;
}): Promise<{ service: Service; url: string }> {
  const folder = join(dataDir, 'postgres');
  const password = readOrMakePassword(join(dataDir, 'postgres-password'));
  if (!existsSync(join(folder, 'PG_VERSION'))) await createCluster({ folder, password });
  const maintenanceUrl = clusterUrl({ port, password });
  const service: Service = {
    name: 'postgres',
    command: await clusterCommand({ folder, port }, { max_connections: '200' }),
    healthy: () => answers(maintenanceUrl),
    startTimeoutMs: 60_000,
    // SIGINT ends sessions and writes a checkpoint; SIGQUIT leaves the write-ahead log to the next start: nothing is
    // lost either way.
    stop: { signal: 'SIGINT', hurry: 'SIGQUIT', timeoutMs: 30_000 },
    toTerminal: showPostgresProblems,
  };
  return { service, url: clusterUrl({ port, password }, DATABASE) };
}

/** Makes the application's database unless it is there. */
export async function ensureDatabase(url: string): Promise<void> {
  const maintenance = new URL(url);
  maintenance.pathname = '/postgres';
  const client = new pg.Client({ connectionString: maintenance.href });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
    await client.query(`REVOKE TEMPORARY ON DATABASE ${DATABASE} FROM PUBLIC`);
  } finally {
    await client.end();
  }
}

async function answers(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } finally {
    await client.end();
  }
}

/** A password that is made at the first start, and kept for us alone. */
export function readOrMakePassword(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  mkdirSync(join(file, '..'), { recursive: true });
  const password = randomBytes(24).toString('base64url');
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  return password;
}
