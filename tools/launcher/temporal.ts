import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { findTemporalCli } from '../temporal-cli.mjs';
import type { Service } from './supervisor.ts';

/** Temporal's dev server with its Web UI, on loopback only, its state in one SQLite file of the data folder. */
export function temporalDevServer({
  dataDir,
  port,
  uiPort,
  namespace,
}: {
  dataDir: string;
  port: number;
  uiPort: number;
  namespace: string;
}): Service {
  const file = findTemporalCli();
  if (file === undefined)
    throw new Error('The Temporal CLI is missing: run npm start, which provides it, or set TEMPORAL_CLI.');
  const args = [
    'server',
    'start-dev',
    '--ip',
    '127.0.0.1',
    '--ui-ip',
    '127.0.0.1',
    '--port',
    String(port),
    '--ui-port',
    String(uiPort),
    '--namespace',
    namespace,
    '--db-filename',
    join(dataDir, 'temporal.db'),
    '--sqlite-pragma',
    'journal_mode=WAL',
    '--sqlite-pragma',
    'synchronous=NORMAL',
    '--log-level',
    'error',
    '--log-format',
    'json',
    ...[
      'matching.useNewMatcher',
      'matching.enableMigration',
      ...(hasFairQueues(dataDir) ? ['matching.enableFairness'] : []),
    ].flatMap((name) => ['--dynamic-config-value', `${name}=true`]),
  ];
  return {
    name: 'temporal',
    command: { file, args },
    healthy: () => hasNamespace(`127.0.0.1:${port}`, namespace),
    startTimeoutMs: 60_000,
    stop: { signal: 'SIGTERM', hurry: 'SIGKILL', timeoutMs: 10_000 },
    // Its errors are mostly those of requests, which the worker and the API report with more sense.
    toTerminal: (line) => (/"level":"(fatal|panic)"|^Error|^panic:/.test(line) ? line : undefined),
  };
}

/**
 * Whether the tenants take turns within a rank. Fair queues keep what waits in other tables, and Server 1.29 moves
 * nothing between them: a data folder begins with them, or never has them.
 */
export function hasFairQueues(dataDir: string): boolean {
  const mark = join(dataDir, 'temporal-fair-queues');
  if (!existsSync(join(dataDir, 'temporal.db'))) writeFileSync(mark, '');
  return existsSync(mark);
}

/** Whether a Temporal Service without TLS answers and knows the namespace. */
export async function hasNamespace(address: string, namespace: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: 2_000 });
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return true;
  } finally {
    await connection.close();
  }
}
