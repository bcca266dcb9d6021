import test from 'ava';
import { z } from 'zod';
import { openApiDocument } from './http/openapi.ts';
import { ROUTES } from './routes.ts';

test('a route names a scope if, and only if, services may call it', (t) => {
  const wrong = ROUTES.filter(({ spec }) => spec.roles.includes('service') !== (spec.scope !== undefined));
  t.deepEqual(
    wrong.map(({ spec }) => spec.operationId),
    [],
  );
});

test('deleting users is a scope of its own', (t) => {
  const deleting = ROUTES.filter(({ spec }) => spec.scope === 'users:delete');
  t.deepEqual(
    deleting.map(({ spec }) => spec.operationId),
    ['deleteUser'],
  );
});

test('a service that a request names is compared with the one that sends it', (t) => {
  const naming = ROUTES.filter(({ spec: { roles, params, query, body } }) =>
    roles.includes('service') ? [params, query, body].some(namesService) : false,
  );
  t.true(naming.length > 0);
  for (const { spec } of naming) t.true(spec.speaksForService, spec.operationId);
});

test('what works on every tenant is for operators of the installation alone', (t) => {
  for (const { spec } of ROUTES)
    if (spec.path.startsWith('/maintenance/') || spec.roles.includes('installation_operator'))
      t.deepEqual(spec.roles, ['installation_operator'], spec.operationId);
});

test('OpenAPI names the scope that a service needs', (t) => {
  const { paths = {} } = openApiDocument(ROUTES);
  for (const { spec } of ROUTES)
    t.deepEqual(
      paths[spec.path.replace(/:(\w+)/g, '{$1}')]?.[spec.method]?.security,
      spec.scope === undefined ? undefined : [{ bearer: [spec.scope] }],
      spec.operationId,
    );
});

function namesService(schema: z.ZodType | undefined): boolean {
  return schema instanceof z.ZodObject && 'service' in schema.shape;
}
