import type { SyncHelper } from '@steadfast/sync-helper';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type pg from 'pg';
import { readAccount } from './accounts.ts';
import { misbehave, type Behaviour } from './behaviour.ts';

/** What the server shows and changes. */
export interface Controlled {
  readonly pool: pg.Pool;
  readonly sync: SyncHelper;
  readonly behaviour: Behaviour;
}

/** The service's HTTP server: its health, its copies, and how it is to misbehave. */
export function createControl(controlled: Controlled): Server {
  return createServer((request, response) => {
    answer(request, controlled)
      .catch((error: unknown) => ({ status: error instanceof TypeError ? 400 : 500, body: { error: String(error) } }))
      .then(({ status, body }) =>
        response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body)),
      )
      .catch(() => response.destroy());
  });
}

async function answer(
  request: IncomingMessage,
  { pool, sync, behaviour }: Controlled,
): Promise<{ status: number; body: object }> {
  const [, resource, id = ''] = (request.url ?? '').split('/');
  switch (`${request.method} ${resource}`) {
    case 'GET healthz':
      return { status: 200, body: {} };
    case 'GET behaviour':
      return { status: 200, body: behaviour };
    case 'PUT behaviour':
      misbehave(behaviour, await bodyOf(request));
      return { status: 200, body: behaviour };
    case 'GET accounts': {
      const account = await readAccount(pool, id);
      return account === undefined ? { status: 404, body: {} } : { status: 200, body: account };
    }
    case 'POST reconciliations': {
      const { tenantId, userId, reason } = await bodyOf(request);
      await sync.requestReconciliation({ tenantId: String(tenantId), userId: String(userId), reason: String(reason) });
      return { status: 202, body: {} };
    }
    default:
      return { status: 404, body: {} };
  }
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const body: unknown = JSON.parse(Buffer.concat(await request.toArray()).toString());
  if (typeof body !== 'object' || body === null) throw new TypeError('the body must be an object');
  return { ...body };
}
