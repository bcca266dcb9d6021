import { Router } from 'express';
import swaggerUi from 'swagger-ui-express';
import { errorsHtml } from './errors-page.ts';
import { refuseMethod, STRICT_ROUTING } from './routing.ts';
import { openApiDocument } from './openapi.ts';
import { ROUTES } from '../routes.ts';

/** `/openapi.json`, the readable `/docs` made from it, and `/docs/errors`, where every problem's `type` leads. */
export function docsRouter(): Router {
  const document = openApiDocument(ROUTES);
  const router = Router(STRICT_ROUTING);
  router.get('/openapi.json', (_request, response) => void response.json(document));
  router.get('/docs/errors', (_request, response) => void response.type('html').send(errorsHtml()));
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
