import { Router } from 'express';
import pTimeout from 'p-timeout';
import { pingTemporal } from '../http/workflow-commands.ts';
import type { ApiDeps } from '../http/deps.ts';
import { refuseMethod, STRICT_ROUTING } from '../http/routing.ts';

const PING_MS = 1_000;

type State = 'up' | 'down';

/**
 * `/healthz`: the process lives. `/readyz`: 200 while PostgreSQL answers, else 503; the body also says whether Temporal
 * and the bus answer.
 */
export function healthRouter({
  db,
  temporal,
  isBusHealthy,
}: Pick<ApiDeps, 'db' | 'temporal' | 'isBusHealthy'>): Router {
  const router = Router(STRICT_ROUTING);
  router.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
  router.get('/readyz', async (_request, response) => {
    const [postgres, temporalState, bus] = await Promise.all([
      stateOf(pTimeout(db.ping(), { milliseconds: PING_MS * 2 })),
      stateOf(pingTemporal(temporal, PING_MS)),
      stateOf(
        pTimeout(
          isBusHealthy().then((isHealthy) => {
            if (!isHealthy) throw new Error('the bus is down');
          }),
          { milliseconds: PING_MS * 2 },
        ),
      ),
    ]);
    response
      .status(postgres === 'up' ? 200 : 503)
      .json({ status: postgres === 'up' ? 'ready' : 'unavailable', postgres, temporal: temporalState, bus });
  });
  for (const path of ['/healthz', '/readyz']) router.all(path, refuseMethod(path, ['get']));
  return router;
}

function stateOf(ping: Promise<void>): Promise<State> {
  return ping.then(
    () => 'up',
    () => 'down',
  );
}
