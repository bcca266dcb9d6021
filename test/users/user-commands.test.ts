import test from 'ava';
import { z } from 'zod';
import { runApi, type TestApi } from '../support/api.ts';
import { fileScope } from '../support/file-scope.ts';
import { NO_TEMPORAL, temporalAt } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import { createUserWorld, type UserWorld } from '../support/user-world.ts';

const admin = { role: 'admin', sub: 'boss' } as const;
const housekeeper = { role: 'installation_operator', sub: 'boss' } as const;
const scope = fileScope();
let world: UserWorld;
let api: TestApi;
test.before(async () => {
  world = await createUserWorld(scope, {
    settings: { BULK_RATE_PER_SECOND: '100', SYNC_RETRY_DELAYS: '600000', COMMAND_TIMEOUT_MS: '10000' },
  });
  api = await runApi(world);
});

async function register(sub: string, at: TestApi = api): Promise<string> {
  const { body } = await at.ask('POST', '/users', {
    role: 'user',
    sub,
    json: { authSubject: sub, email: `${sub}@example.com` },
  });
  return String(body['id']);
}
const command = (id: string, path: string, json?: object, more: object = {}, at: TestApi = api) =>
  at.ask('POST', `/users/state-management/${id}/${path}`, {
    ...admin,
    ...(json === undefined ? {} : { json }),
    ...more,
  });

test('eighty commands at once on one user wait their turn, and each is carried out', async (t) => {
  const patient = await runApi({ ...world, scope: t }, { settings: { COMMAND_TIMEOUT_MS: '60000' } });
  const id = await register('burst');
  t.is((await command(id, 'profile/complete', { customerId: 'c-burst', customerKind: 'company' })).status, 200);
  const answers = await Promise.all(
    Array.from({ length: 80 }, () => command(id, 'sync/force', undefined, {}, patient)),
  );
  t.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
});

test('with several API processes what Temporal turns away is sent again, or is a retryable 503', async (t) => {
  const others = await Promise.all([1, 2, 3].map(() => runApi({ ...world, scope: t })));
  const id = await register('shared-burst');
  const answers = await Promise.all(
    Array.from({ length: 80 }, (_, index) => command(id, 'sync/force', undefined, {}, others[index % 3])),
  );
  // A busy machine may not come to the last ones in time.
  for (const { status, body, headers } of answers.filter((answer) => answer.status !== 200)) {
    t.like({ status, body }, { status: 503, body: { retryable: true } });
    t.truthy(headers.get('Retry-After'));
  }
  t.true(answers.some(({ status }) => status === 200));
});

test('a user begins its profile, a service completes it, and an illegal command is a 409 that says why', async (t) => {
  const id = await register('complete');
  const as = { role: 'user', sub: 'complete' };
  t.like((await command(id, 'profile/mark-in-progress', undefined, as)).body, {
    id,
    profileCompletionStatus: 'in_progress',
  });
  const json = { customerId: 'c-1', customerKind: 'company' };
  t.is((await command(id, 'profile/complete', json, as)).body['code'], 'forbidden');
  const completed = await command(id, 'profile/complete', json);
  t.is(completed.status, 200);
  t.like(completed.body, {
    status: 'active',
    profileCompletionStatus: 'completed',
    customerId: 'c-1',
    companyId: 'c-1',
    financialInstitutionId: null,
    profileCompletionDeadline: null,
  });
  t.is((await command(id, 'profile/complete', json)).status, 200, 'said twice');
  const other = await command(id, 'profile/complete', { ...json, customerId: 'c-2' });
  t.is(other.status, 409);
  t.like(other.body, { code: 'profile_already_completed', retryable: false });
  t.like((await command(id, 'profile/reactivate', { extensionDays: 7 })).body, { code: 'profile_not_expired' });
});

test('suspension and its end', async (t) => {
  const id = await register('suspend');
  t.like((await command(id, 'profile/suspend')).body, { status: 'suspended' });
  t.like((await command(id, 'profile/mark-in-progress', undefined, { role: 'user', sub: 'suspend' })).body, {
    code: 'account_inactive',
  });
  t.like((await command(id, 'profile/mark-in-progress')).body, { code: 'user_suspended' });
  t.like((await command(id, 'profile/unsuspend')).body, { status: 'pending_profile' });
  t.like((await command(id, 'profile/unsuspend')).body, { code: 'user_not_suspended' });
});

test('the copies are confirmed, doubted, reconciled and sent again by commands', async (t) => {
  const id = await register('sync');
  t.like((await command(id, 'sync/mark-service-synced', { service: 'accounting' })).body, {
    syncMetadata: { syncedServices: ['accounting'] },
  });
  t.like((await command(id, 'sync/mark-service-failed', { service: 'portfolio', error: 'no room' })).body, {
    syncMetadata: { failedServices: ['portfolio'] },
  });
  t.like((await command(id, 'sync/mark-service-synced', { service: 'portfolio', userVersion: 9 })).body, {
    code: 'unknown_version',
  });
  const unknown = await command(id, 'sync/mark-service-synced', { service: 'nobody' });
  t.is(unknown.status, 404);
  t.like(unknown.body, { code: 'unknown_service' });
  const found = await command(id, 'sync/reconcile');
  t.is(found.status, 200);
  t.like(found.body, { userId: id, consistent: false, failed: ['portfolio'], republished: ['portfolio'] });
  t.like((await command(id, 'sync/mark-service-synced', { service: 'portfolio' })).body, { syncStatus: 'synced' });
  t.like((await command(id, 'sync/reconcile')).body, { consistent: true, republished: [] });
  t.like((await command(id, 'sync/force')).body, {
    syncStatus: 'in_progress',
    syncRetryCount: 0,
    syncMetadata: { syncedServices: [] },
  });
});

test('a service that forces a resync has the user sent to itself alone', async (t) => {
  const id = await register('forced-by-service');
  const confirmed = z.object({
    syncStatus: z.string(),
    syncMetadata: z.object({ syncedServices: z.array(z.string()) }),
  });
  for (const service of ['accounting', 'portfolio']) await command(id, 'sync/mark-service-synced', { service });
  const force = async (service: string) =>
    (await command(id, 'sync/force', undefined, { role: 'service', sub: 'machines', as: { service } })).body;
  t.deepEqual(confirmed.parse(await force('portfolio')), {
    syncStatus: 'in_progress',
    syncMetadata: { syncedServices: ['accounting'] },
  });
  t.is((await force('nobody'))['code'], 'unknown_service');
});

test('a command repeated with its Idempotency-Key is carried out once', async (t) => {
  const id = await register('once');
  const headers = { 'Idempotency-Key': 'suspend-1' };
  const first = await command(id, 'profile/suspend', undefined, { headers });
  await command(id, 'profile/unsuspend');
  const second = await command(id, 'profile/suspend', undefined, { headers });
  t.deepEqual(second.body, first.body);
  t.is(second.headers.get('Idempotency-Replayed'), 'true');
  t.is((await api.ask('GET', `/users/${id}`, admin)).body['status'], 'pending_profile');
});

test('a bulk operation is accepted once for its Idempotency-Key and shows its progress', async (t) => {
  const ids = await Promise.all(['bulk-1', 'bulk-2'].map((sub) => register(sub)));
  const json = { filter: { userIds: ids } };
  const ask = { ...admin, json, headers: { 'Idempotency-Key': 'bulk-1' } };
  const [first, second] = [
    await api.ask('POST', '/users/state-management/bulk/resync', ask),
    await api.ask('POST', '/users/state-management/bulk/resync', ask),
  ];
  t.is(first.status, 202);
  t.deepEqual(second.body, first.body);
  const href = `/operations/${String(first.body['operationId'])}`;
  t.is(first.body['href'], href);
  t.is(first.headers.get('Location'), href);
  await until(async () => (await api.ask('GET', href, admin)).body['state'] === 'completed');
  t.like((await api.ask('GET', href, admin)).body, { matched: 2, signalled: 2 });
  t.is((await api.ask('GET', href, { ...admin, tenant: 'elsewhere' })).body['code'], 'bulk_operation_not_found');
  const former = `/users/state-management/bulk/${String(first.body['operationId'])}`;
  t.deepEqual((await api.ask('GET', former, admin)).body, (await api.ask('GET', href, admin)).body);
  t.is(
    (
      await api.ask('POST', '/users/state-management/bulk/reactivate', {
        ...admin,
        json: { filter: {}, extensionDays: 7 },
      })
    ).status,
    400,
  );
  t.is(
    (
      await api.ask('POST', '/users/state-management/bulk/reactivate', {
        ...admin,
        json: { filter: { status: 'inactive' }, extensionDays: 7 },
      })
    ).status,
    202,
  );
});

test('an audit is run by hand', async (t) => {
  const { status, body } = await api.ask('POST', '/maintenance/audits/cleanup/run', housekeeper);
  t.is(status, 202);
  t.regex(String(body['workflowId']), /^cleanup:manual:/);
  await world.client.workflow.getHandle(String(body['workflowId']), String(body['runId'])).result();
  t.is((await api.ask('POST', '/maintenance/audits/other/run', housekeeper)).status, 400);
});

const operator = { role: 'operator', sub: 'olga' } as const;
const untilEnded = (workflowId: string): Promise<void> =>
  until(async () => (await world.client.workflow.getHandle(workflowId).describe()).status.name === 'COMPLETED', {
    what: workflowId,
  });
const syncOf = (id: string) => api.ask('GET', `/users/state-management/${id}/sync`, operator);
const waitingServices = async (id: string) => {
  const { services } = syncAnswer.parse((await syncOf(id)).body);
  return services.filter(({ isConfirmed }) => !isConfirmed).map(({ service }) => service);
};
const syncAnswer = z.object({ services: z.array(z.object({ service: z.string(), isConfirmed: z.boolean() })) });

test("deletion ends the user's profile at once, and its copies once every service has confirmed it", async (t) => {
  const id = await register('delete');
  await command(id, 'profile/mark-in-progress');
  t.is((await api.ask('DELETE', `/users/${id}`, admin)).status, 204);
  await untilEnded(`profile:${id}`);
  t.is((await command(id, 'profile/mark-in-progress')).status, 404);
  t.is((await api.ask('GET', `/users/${id}`, admin)).status, 404);

  const { body } = await syncOf(id);
  t.like(body, { userId: id, version: 2, syncStatus: 'in_progress', endedAt: null });
  t.regex(String(body['deletedAt']), /^20/);
  t.deepEqual(await waitingServices(id), ['accounting', 'portfolio']);
  t.is((await command(id, 'sync/force', undefined, operator)).status, 200);
  t.is((await command(id, 'sync/mark-service-synced', { service: 'accounting' })).status, 200);
  t.deepEqual(await waitingServices(id), ['portfolio']);
  const stats = await api.ask('GET', '/users/state-management/deletions/stats', operator);
  t.deepEqual(stats.body, { pending: 0, inProgress: 1, failed: 0, retry: 0, total: 1 });
  t.is((await command(id, 'sync/mark-service-synced', { service: 'portfolio', userVersion: 2 })).status, 200);
  await untilEnded(`user-sync:${id}`);
  t.like((await syncOf(id)).body, { syncStatus: 'synced', endedBy: null });

  t.is((await command(id, 'sync/force', undefined, operator)).status, 200, 'all are asked once more');
  t.deepEqual(await waitingServices(id), ['accounting', 'portfolio']);
  t.is((await command(id, 'sync/end-deletion', undefined, operator)).status, 200);
});

test('an operator may wait no longer for a deletion to be confirmed', async (t) => {
  const id = await register('given-up');
  const end = () => command(id, 'sync/end-deletion', undefined, operator);
  t.like((await end()).body, { code: 'user_not_deleted' });
  t.is((await api.ask('DELETE', `/users/${id}`, admin)).status, 204);
  const { status, body } = await end();
  t.is(status, 200);
  t.like(body, { userId: id, endedBy: 'olga' });
  await untilEnded(`user-sync:${id}`);
  t.is((await end()).status, 200);
  t.is((await command(id, 'sync/mark-service-synced', { service: 'accounting' })).status, 404);
  t.deepEqual(await waitingServices(id), ['accounting', 'portfolio']);
});

test('without a worker a command is a 503 that may take effect; the same key learns its outcome later', async (t) => {
  const idle = await runApi(
    { ...world, scope: t },
    { settings: { TASK_QUEUE: 'nobody-polls-this', COMMAND_TIMEOUT_MS: '500' } },
  );
  // Without a promised start: the command is the first to start it
  const userId = await world.insertUser({ now: Date.now() });
  const more = { tenant: 'test', headers: { 'Idempotency-Key': 'late' } };
  const { status, body, headers } = await command(userId, 'profile/mark-in-progress', undefined, more, idle);
  t.is(status, 503);
  t.like(body, { code: 'command_timeout', retryable: true });
  t.regex(String(body['detail']), /may still take effect/);
  t.is(headers.get('Retry-After'), '5');
  await world.client.workflow.getHandle(`profile:${userId}`).terminate();
  t.is((await command(userId, 'profile/mark-in-progress', undefined, more)).status, 200);
});

test('without Temporal a command is a 503, and so is a bulk operation and its progress', async (t) => {
  const { client } = temporalAt(t, NO_TEMPORAL);
  const alone = await runApi({ ...world, scope: t, client }, { settings: { COMMAND_TIMEOUT_MS: '500' } });
  const id = await register('alone', alone);
  for (const answer of [
    await command(id, 'profile/mark-in-progress', undefined, {}, alone),
    await alone.ask('POST', '/users/state-management/bulk/resync', {
      ...admin,
      json: { filter: { status: 'active' } },
    }),
    await alone.ask('GET', '/operations/11111111-1111-1111-1111-111111111111', admin),
    await alone.ask('POST', '/maintenance/audits/cleanup/run', housekeeper),
  ]) {
    t.is(answer.status, 503);
    t.is(answer.body['code'], 'temporal_unavailable');
    t.truthy(answer.headers.get('Retry-After'));
  }
  t.is(
    (await command('11111111-1111-1111-1111-111111111111', 'profile/suspend', undefined, {}, alone)).status,
    404,
    'what does not exist is not found all the same',
  );
});
