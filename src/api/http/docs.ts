import { createHash } from 'node:crypto';
import { Router } from 'express';
import swaggerUi from 'swagger-ui-express';
import { errorsHtml } from './errors-page.ts';
import { refuseMethod, STRICT_ROUTING } from './routing.ts';
import { openApiDocument } from './openapi.ts';
import { send } from './send.ts';
import { ROUTES } from '../routes.ts';

/** `/openapi.json`, the readable `/docs` made from it, and `/docs/errors`, where every problem's `type` leads. */
export function docsRouter(): Router {
  const document = JSON.stringify(openApiDocument(ROUTES));
  const tag = `"${createHash('sha256').update(document).digest('base64url')}"`;
  const errors = errorsHtml();
  const router = Router(STRICT_ROUTING);
  router.get('/openapi.json', (request, response) => {
    response.set({ ETag: tag, 'Cache-Control': 'public, max-age=60' });
    // By itself: `request.fresh` takes `no-cache`, which only asks to be sure, for a wish to have it anew.
    if (request.get('If-None-Match')?.includes(tag) === true) return void response.status(304).end();
    send(response, { status: 200, body: document });
  });
  router.get('/docs/errors', (_request, response) => void response.type('html').send(errors));
  for (const path of ['/openapi.json', '/docs/errors']) router.all(path, refuseMethod(path, ['get']));
  router.use('/docs', swaggerUi.serve);
  router.get(
    '/docs/',
    swaggerUi.setup(undefined, {
      customSiteTitle: 'Steadfast API',
      swaggerOptions: { url: '/openapi.json', persistAuthorization: true },
    }),
  );
  return router;
}
