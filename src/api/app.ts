import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import { authentication } from './http/middleware/authentication.ts';
import type { ApiDeps } from './http/deps.ts';
import { docsRouter } from './http/docs.ts';
import { errorMiddleware } from './http/error-middleware.ts';
import { healthRouter } from './health/health.ts';
import { requestLog } from './http/middleware/logging.ts';
import { httpMetrics } from './http/middleware/metrics.ts';
import { jsonBody } from './http/json-body.ts';
import { mountRoutes } from './http/mount.ts';
import { Problem } from './http/problem.ts';
import { rateLimiter } from './http/middleware/rate-limit.ts';
import { requestId } from './http/middleware/request-id.ts';
import { ROUTES } from './routes.ts';
import { traceRequests } from './http/middleware/tracing.ts';

/** What is answered to a token is for its bearer alone: no cache on the way keeps it. */
const forbidStorage: RequestHandler = (_request, response, next) => {
  response.set('Cache-Control', 'no-store');
  next();
};

/** Before it is known that row-level security binds us, a request might show another tenant's rows. */
function requireCheckedDatabase({ isDatabaseChecked = () => true }: ApiDeps): RequestHandler {
  return (_request, _response, next) => {
    if (!isDatabaseChecked()) throw new Problem('database_unavailable');
    next();
  };
}

/** The API; it is the caller who listens. */
export function createApp(deps: ApiDeps): Express {
  const { config, log, metrics, verifyToken } = deps;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.enable('strict routing');
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
  app.use(['/openapi.json', '/docs'], rateLimiter(config.RATE_LIMIT_PER_MINUTE));
  app.use(docsRouter());
  app.use(forbidStorage, requireCheckedDatabase(deps));
  app.use(authentication(verifyToken), rateLimiter(config.RATE_LIMIT_PER_MINUTE));
  app.use(jsonBody(config.BODY_LIMIT_KB * 1024));
  app.use(mountRoutes(ROUTES, deps));
  app.use(() => {
    throw new Problem('not_found');
  });
  app.use(errorMiddleware(log));
  return app;
}
