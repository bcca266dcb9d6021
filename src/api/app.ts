import express, { type Express } from 'express';
import helmet from 'helmet';
import { authentication } from './authentication.ts';
import type { ApiDeps } from './deps.ts';
import { docsRouter } from './docs.ts';
import { errorMiddleware } from './error-middleware.ts';
import { healthRouter } from './health.ts';
import { requestLog } from './logging.ts';
import { httpMetrics } from './metrics.ts';
import { mountRoutes } from './mount.ts';
import { Problem } from './problem.ts';
import { rateLimiter } from './rate-limit.ts';
import { requestId } from './request-id.ts';
import { ROUTES } from './routes.ts';
import { traceRequests } from './tracing.ts';

/** The API; it is the caller who listens. */
export function createApp(deps: ApiDeps): Express {
  const { config, log, metrics, verifyToken } = deps;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', config.TRUST_PROXY_HOPS);
  app.use(requestId, traceRequests, httpMetrics(metrics.registry), requestLog(log));
  // Plain http must go on working where no proxy in front of us speaks TLS.
  app.use(
    helmet({
      contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
      strictTransportSecurity: false,
    }),
  );
  app.use(healthRouter(deps));
  app.get(
    '/metrics',
    async (_request, response) =>
      void response.set('Content-Type', metrics.registry.contentType).send(await metrics.text()),
  );
  app.use(docsRouter());
  app.use(authentication(verifyToken), rateLimiter(config.RATE_LIMIT_PER_MINUTE));
  app.use(express.json({ limit: config.BODY_LIMIT_KB * 1024, type: ['application/json', 'application/*+json'] }));
  app.use(mountRoutes(ROUTES, deps));
  app.use(() => {
    throw new Problem('not_found');
  });
  app.use(errorMiddleware(log));
  return app;
}
