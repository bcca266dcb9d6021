import test from 'ava';
import { z } from 'zod';
import { startApi, type TestApi } from '../support/api.ts';
import { fileScope } from '../support/file-scope.ts';

const scope = fileScope();
let api: TestApi;
test.before(async () => {
  api = await startApi(scope);
});
const pageSchema = z.object({
  items: z.array(z.object({ id: z.string(), email: z.string() })),
  nextCursor: z.string().nullable(),
});
const admin = { role: 'admin', sub: 'boss' } as const;

async function register(email: string, tenant = 'default'): Promise<string> {
  const { body } = await api.ask('POST', '/users', {
    ...admin,
    tenant,
    json: { authSubject: `auth0|${email}`, email, name: 'Name', phone: '+33 1 23 45' },
  });
  return String(body['id']);
}

const promisesFor = (id: string) =>
  api.system.acrossTenants((tx) =>
    tx.pendingStart.findMany({ where: { workflowId: { endsWith: id } }, orderBy: { position: 'asc' } }),
  );

test('a change makes a synced user pending at once: nobody has confirmed the new version', async (t) => {
  const id = await register('pending@example.com');
  await api.system.acrossTenants((tx) =>
    tx.user.updateMany({ where: { id }, data: { syncStatus: 'synced', syncedVersion: 1 } }),
  );
  const changed = await api.ask('PATCH', `/users/${id}`, { ...admin, json: { name: 'Another' } });
  t.like(changed.body, { version: 2, syncStatus: 'pending' });
});

test('a change counts up the version and promises to tell the services; the same again does neither', async (t) => {
  const id = await register('change@example.com');
  const changed = await api.ask('PATCH', `/users/${id}`, {
    ...admin,
    json: { email: 'Changed@example.com', phone: null },
  });
  t.is(changed.status, 200);
  t.like(changed.body, { email: 'changed@example.com', phone: null, name: 'Name', version: 2 });
  const again = await api.ask('PATCH', `/users/${id}`, { ...admin, json: { email: 'changed@example.com' } });
  t.is(again.body['version'], 2);
  const signals = (await promisesFor(id)).filter(({ kind }) => kind === 'signal_with_start');
  t.deepEqual(
    signals.map(({ signalName, signalArg, workflowId }) => ({ signalName, signalArg, workflowId })),
    [{ signalName: 'userChanged', signalArg: { version: 2 }, workflowId: `user-sync:${id}` }],
  );
  t.is((await api.ask('PATCH', `/users/${id}`, { ...admin, json: {} })).status, 400);
});

test('concurrent changes each count once, and the services hear the versions in order', async (t) => {
  const id = await register('concurrent@example.com');
  await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      api.ask('PATCH', `/users/${id}`, { ...admin, json: { name: `Name ${index}` } }),
    ),
  );
  t.is((await api.ask('GET', `/users/${id}`, admin)).body['version'], 11);
  const versions = (await promisesFor(id)).flatMap(({ signalArg }) => (signalArg === null ? [] : [signalArg]));
  t.deepEqual(
    versions,
    Array.from({ length: 10 }, (_, index) => ({ version: index + 2 })),
  );
});

test('a deleted user is anonymised, its workflows are told, and it is gone', async (t) => {
  const id = await register('gone@example.com');
  await api.ask('POST', '/users', {
    role: 'user',
    sub: 'auth0|gone@example.com',
    json: { authSubject: 'auth0|gone@example.com', email: 'gone@example.com' },
    headers: { 'Idempotency-Key': 'g1' },
  });
  t.is((await api.ask('DELETE', `/users/${id}`, admin)).status, 204);
  for (const [method, json] of [
    ['DELETE', undefined],
    ['GET', undefined],
    ['PATCH', { name: 'X' }],
  ] as const) {
    t.is((await api.ask(method, `/users/${id}`, { ...admin, ...(json === undefined ? {} : { json }) })).status, 404);
  }
  const { row, messages, traces } = await api.db.inTenant('default', async (tx) => ({
    row: await tx.user.findUniqueOrThrow({
      where: { tenantId_id: { tenantId: 'default', id } },
      include: { services: true },
    }),
    messages: await tx.outgoingMessage.findMany({ where: { key: id } }),
    traces: await tx.idempotencyKey.count({
      where: { OR: [{ body: { contains: id } }, { scope: { contains: 'gone@example.com' } }] },
    }),
  }));
  t.like(row, {
    authSubject: `deleted:${id}`,
    email: `deleted-${id}@deleted.invalid`,
    name: null,
    phone: null,
    status: 'inactive',
    version: 2,
    syncedVersion: 2,
    syncStatus: 'in_progress',
  });
  t.true(row.deletedAt instanceof Date);
  t.true(row.services.length > 0, 'who is to confirm it');
  t.is(traces, 0);
  t.deepEqual(
    messages.map(({ topic }) => topic),
    ['user.deleted'],
  );
  const signals = (await promisesFor(id)).filter(({ signalName }) => signalName === 'userDeleted');
  t.deepEqual(signals.map(({ workflowType, signalName }) => `${workflowType} ${signalName}`).toSorted(), [
    'profile userDeleted',
    'userSync userDeleted',
  ]);
  const anew = await api.ask('POST', '/users', {
    role: 'user',
    sub: 'auth0|gone@example.com',
    json: { authSubject: 'auth0|gone@example.com', email: 'gone@example.com' },
  });
  t.is(anew.status, 201);
  t.not(anew.body['id'], id);
});

test('of two deletions at once one finds the user', async (t) => {
  const id = await register('twice@example.com');
  const answers = await Promise.all([1, 2, 3].map(() => api.ask('DELETE', `/users/${id}`, admin)));
  t.deepEqual(answers.map(({ status }) => String(status)).toSorted(), ['204', '404', '404']);
});

test('the list pages through every user once, newest first, and leaves deleted ones out', async (t) => {
  const tenant = 'pages';
  const ids: string[] = [];
  for (let index = 0; index < 30; index += 1) ids.push(await register(`page${index}@example.com`, tenant));
  // Equal times: the id decides.
  await api.db.inTenant(tenant, (tx) =>
    tx.user.updateMany({
      where: { id: { in: ids.slice(5, 20) } },
      data: { createdAt: new Date('2026-01-01T00:00:00Z') },
    }),
  );
  await api.ask('DELETE', `/users/${ids[3]}`, { ...admin, tenant });
  const seen: string[] = [];
  const sizes: number[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { body } = await api.ask('GET', `/users?limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`, {
      ...admin,
      tenant,
    });
    const { items, nextCursor }: z.output<typeof pageSchema> = pageSchema.parse(body);
    seen.push(...items.map(({ id }) => id));
    sizes.push(items.length);
    cursor = nextCursor;
  }
  t.deepEqual(sizes, [7, 7, 7, 7, 1]);
  t.deepEqual(seen.toSorted(), ids.filter((id) => id !== ids[3]).toSorted());
  t.like((await api.ask('GET', '/users', { ...admin, tenant })).body, { items: { length: 25 } });
});

test("the list filters by status and by the e-mail's beginning, in any case, wildcards as they are", async (t) => {
  const tenant = 'filters';
  const [ada] = await Promise.all([
    register('ada_l@example.com', tenant),
    register('adaxl@example.com', tenant),
    register('bob%b@example.com', tenant),
  ]);
  await api.db.inTenant(tenant, (tx) =>
    tx.user.update({
      where: { tenantId_id: { tenantId: tenant, id: ada } },
      data: { status: 'active', profileCompletionStatus: 'completed', syncStatus: 'synced' },
    }),
  );
  const found = async (query: string) => {
    const { body } = await api.ask('GET', `/users?${query}`, { ...admin, tenant });
    return pageSchema
      .parse(body)
      .items.map(({ email }) => email)
      .toSorted();
  };
  t.deepEqual(await found('emailPrefix=ADA'), ['ada_l@example.com', 'adaxl@example.com']);
  t.deepEqual(await found('emailPrefix=ada_'), ['ada_l@example.com']);
  t.deepEqual(await found('emailPrefix=bob%25'), ['bob%b@example.com']);
  t.deepEqual(await found('emailPrefix=%25'), []);
  t.deepEqual(await found('emailPrefix=%5C'), []);
  for (const query of ['status=active', 'profileCompletionStatus=completed', 'syncStatus=synced'])
    t.deepEqual(await found(query), ['ada_l@example.com']);
  for (const query of [
    'status=odd',
    'limit=0',
    'limit=101',
    'limit=x',
    'cursor=x',
    'cursor=bnVsbA',
    'emailPrefix=%00',
    'unknown=1',
    'status=active&status=active',
  ]) {
    t.is((await api.ask('GET', `/users?${query}`, admin)).status, 400, query);
  }
});

test("the statistics have exactly the seed's fields", async (t) => {
  const tenant = 'stats';
  const ids = await Promise.all(Array.from({ length: 5 }, (_, index) => register(`s${index}@example.com`, tenant)));
  const set = (index: number, data: object) =>
    api.db.inTenant(tenant, (tx) =>
      tx.user.update({ where: { tenantId_id: { tenantId: tenant, id: String(ids[index]) } }, data }),
    );
  await set(0, { profileCompletionStatus: 'in_progress', syncStatus: 'in_progress' });
  await set(1, { profileCompletionStatus: 'completed', syncStatus: 'synced' });
  await set(2, { profileCompletionStatus: 'expired', syncStatus: 'retry' });
  await api.ask('DELETE', `/users/${ids[4]}`, { ...admin, tenant });
  t.deepEqual((await api.ask('GET', '/users/state-management/profile-completion/stats', { ...admin, tenant })).body, {
    notStarted: 1,
    inProgress: 1,
    completed: 1,
    expired: 1,
    total: 4,
  });
  t.deepEqual((await api.ask('GET', '/users/state-management/sync/stats', { ...admin, tenant })).body, {
    pending: 1,
    inProgress: 1,
    synced: 1,
    failed: 0,
    retry: 1,
    total: 4,
  });
});
