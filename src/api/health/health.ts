import { Router } from 'express';
import pTimeout from 'p-timeout';
import { pingTemporal } from '../http/workflow-commands.ts';
import type { ApiDeps } from '../http/deps.ts';
import { refuseMethod, STRICT_ROUTING } from '../http/routing.ts';

const PING_MS = 1_000;

/** How long one look serves all who ask, so that many who ask cost no more than one. */
const KEPT_MS = 1_000;

type State = 'up' | 'down';
type HealthDeps = Pick<ApiDeps, 'db' | 'temporal' | 'isBusHealthy' | 'isDatabaseChecked'>;

interface Parts {
  readonly postgres: State;
  readonly temporal: State;
  readonly bus: State;
}

/**
 * `/healthz`: the process lives. `/readyz`: 200 while PostgreSQL answers, once it has been checked, else 503; the body
 * also says whether Temporal and the bus answer.
 */
export function healthRouter(deps: HealthDeps): Router {
  const router = Router(STRICT_ROUTING);
  const { isDatabaseChecked = () => true } = deps;
  router.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
  let looked: { readonly atMs: number; readonly parts: Promise<Parts> } | undefined;
  router.get('/readyz', async (_request, response) => {
    if (looked === undefined || performance.now() - looked.atMs > KEPT_MS)
      looked = { atMs: performance.now(), parts: look(deps) };
    const parts = await looked.parts;
    const status = parts.postgres === 'down' ? 'unavailable' : isDatabaseChecked() ? 'ready' : 'starting';
    response.status(status === 'ready' ? 200 : 503).json({ status, ...parts });
  });
  for (const path of ['/healthz', '/readyz']) router.all(path, refuseMethod(path, ['get']));
  return router;
}

async function look({ db, temporal: client, isBusHealthy }: HealthDeps): Promise<Parts> {
  const [postgres, temporal, bus] = await Promise.all([
    stateOf(pTimeout(db.ping(), { milliseconds: PING_MS * 2 })),
    stateOf(pingTemporal(client, PING_MS)),
    stateOf(
      pTimeout(
        isBusHealthy().then((isHealthy) => {
          if (!isHealthy) throw new Error('the bus is down');
        }),
        { milliseconds: PING_MS * 2 },
      ),
    ),
  ]);
  return { postgres, temporal, bus };
}

function stateOf(ping: Promise<void>): Promise<State> {
  return ping.then(
    () => 'up',
    () => 'down',
  );
}
