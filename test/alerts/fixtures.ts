import { createServer } from 'node:http';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { createAlertLoop, type AlertLoop, type AlertLoopDeps } from '../../src/alerts/alert-loop.ts';
import { loadConfig } from '../../src/config/config.ts';
import type { SystemDb } from '../../src/postgres/client.ts';
import type { Alert } from '../../src/postgres/generated/client.ts';
import { freePort } from '../support/services.ts';

export const logger = pino({ level: 'silent' });

/** A client of a server that is not there. */
export async function absentTemporal(): Promise<Client> {
  return new Client({
    connection: Connection.lazy({ address: `127.0.0.1:${await freePort()}`, connectTimeout: 1_000 }),
  });
}

/** A loop with the settings `env`, whose rounds the test runs. */
export function loopOf(
  deps: Pick<AlertLoopDeps, 'system' | 'client'> & Partial<AlertLoopDeps>,
  env: Record<string, string> = {},
): AlertLoop {
  return createAlertLoop({ config: loadConfig(env), mail: undefined, logger, firstDelayMs: 0, ...deps });
}

/** Every alert, the oldest first. */
export function alertsOf(system: SystemDb, kind: string): Promise<Alert[]> {
  return system.acrossTenants((tx) => tx.alert.findMany({ where: { kind }, orderBy: [{ firstSeenAt: 'asc' }] }));
}

/** What is open: kind, tenant and key. */
export async function openAlerts(system: SystemDb, kind: string): Promise<string[]> {
  return (await alertsOf(system, kind))
    .filter(({ status }) => status !== 'resolved')
    .map(({ tenantId, openKey }) => `${tenantId} ${openKey}`)
    .sort();
}

/** A server that keeps what is posted to it. */
export interface WebhookServer {
  readonly url: string;
  readonly calls: { readonly key: string | undefined; readonly body: string }[];
  /** Status of its answers. */
  status: number;
  close(): Promise<void>;
}

/** Starts a server for a webhook. */
export async function startWebhookServer(): Promise<WebhookServer> {
  const calls: WebhookServer['calls'] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      calls.push({ key: request.headers['idempotency-key']?.toString(), body });
      response.writeHead(state.status).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the webhook server listens on no port');
  const state: WebhookServer = {
    url: `http://127.0.0.1:${address.port}/alerts`,
    calls,
    status: 204,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return state;
}
