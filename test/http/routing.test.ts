import test from 'ava';
import { ROUTES } from '../../src/api/routes.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { fileScope } from '../support/file-scope.ts';

const scope = fileScope();
let api: TestApi;
test.before(async () => {
  api = await startApi(scope);
});

const admin = { role: 'admin', sub: 'boss' } as const;
const filled = (path: string): string =>
  path.replace(':name', 'cleanup').replace(/:\w+/, '11111111-1111-1111-1111-111111111111');
const PUBLIC = ['/healthz', '/readyz', '/openapi.json', '/docs/errors'];

test('a known address with a method that it does not have is 405, and Allow says those that it has', async (t) => {
  for (const [path, routes] of Map.groupBy(ROUTES, ({ spec }) => spec.path)) {
    const methods = routes.map(({ spec }) => spec.method.toUpperCase());
    const allowed = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).toSorted();
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].filter(
      (each) => !methods.includes(each),
    )) {
      const { status, body, headers } = await api.ask(method, filled(path), admin);
      t.is(status, 405, `${method} ${path}`);
      t.is(body['code'], 'method_not_allowed');
      t.deepEqual(headers.get('Allow')?.split(', ').toSorted(), allowed, path);
    }
  }
  for (const path of PUBLIC) t.like(await api.ask('POST', path), { status: 405, body: { code: 'method_not_allowed' } });
});

test('an address has one spelling: another case and a slash at its end are no address of ours', async (t) => {
  const paths = [...new Set(ROUTES.map(({ spec }) => filled(spec.path))), ...PUBLIC];
  for (const path of paths) {
    for (const other of [`${path}/`, path.replace(/^\/\w+/, (first) => first.toUpperCase())])
      t.is((await api.ask('GET', other, admin)).body['code'], 'not_found', other);
  }
});

test('no answer to a token is stored on its way', async (t) => {
  for (const [path, ask] of [
    ['/users', admin],
    ['/users/11111111-1111-1111-1111-111111111111', admin],
    ['/users', {}],
    ['/nowhere', admin],
  ] as const)
    t.is((await api.ask('GET', path, ask)).headers.get('Cache-Control'), 'no-store', path);
});

test('a cursor that no list has written is refused', async (t) => {
  const cursorOf = (at: string): string =>
    Buffer.from(JSON.stringify([at, '00000000-0000-4000-8000-000000000000'])).toString('base64url');
  const lists = ROUTES.filter(
    ({ spec }) =>
      spec.method === 'get' &&
      spec.query !== undefined &&
      /nextCursor/.test(JSON.stringify(spec.answer === undefined ? '' : Object.keys(Object(spec.answer).shape ?? {}))),
  );
  t.true(lists.length > 4);
  for (const { spec } of lists.filter(({ spec: { path } }) => !/^\/products|:/.test(path))) {
    for (const at of [
      '0000-01-01T00:00:00Z',
      '0000-01-01T00:00:00.000Z',
      '1969-12-31T23:59:59.999Z',
      '2026-01-01T00:00:00.000000Z',
    ])
      t.like(
        await api.ask('GET', `${filled(spec.path)}?cursor=${cursorOf(at)}`, admin),
        { status: 400 },
        `${spec.path} ${at}`,
      );
  }
  const { status } = await api.ask('POST', '/dead-letters/replay', {
    ...admin,
    json: { filter: {}, cursor: cursorOf('0000-01-01T00:00:00.000Z') },
  });
  t.is(status, 400);
});
