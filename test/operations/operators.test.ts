import { randomUUID } from 'node:crypto';
import test from 'ava';
import { parkDeadLetter } from '../../src/messaging/dead-letters/dead-letters.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { fileScope } from '../support/file-scope.ts';

const scope = fileScope();
let api: TestApi;
test.before(async () => {
  api = await startApi(scope);
});
const operator = { role: 'operator', sub: 'op' } as const;

async function park(
  tenantId: string,
  message: { source?: string; cause?: string; type?: string; payload?: string } = {},
): Promise<string> {
  const messageId = randomUUID();
  return api.db.inTenant(tenantId, async (tx) => {
    await parkDeadLetter(tx, {
      tenantId,
      source: 'outgoing-relay',
      type: 'user.created',
      cause: 'publish_failed',
      detail: 'no',
      key: 'k',
      payload: '{}',
      ...message,
      messageId,
    });
    return (await tx.deadLetter.findFirstOrThrow({ where: { messageId } })).id;
  });
}

test('dead letters are listed by source, type, cause, status and age, page by page', async (t) => {
  const tenant = 'dead-list';
  await park(tenant);
  const other = await park(tenant, { source: 'sync-confirmations', type: 'sync.user.failed', cause: 'unknown_user' });
  await api.db.inTenant(tenant, (tx) =>
    tx.deadLetter.updateMany({ where: { id: other }, data: { parkedAt: new Date(Date.now() - 3_600_000) } }),
  );
  for (const query of [
    'source=sync-confirmations',
    'type=sync.user.failed',
    'cause=unknown_user',
    'olderThanSeconds=1800',
  ]) {
    const { body } = await api.ask('GET', `/dead-letters?${query}`, { ...operator, tenant });
    t.like(body, { items: { length: 1, 0: { id: other, status: 'parked' } }, nextCursor: null }, query);
  }
  const first = await api.ask('GET', '/dead-letters?status=parked&limit=1', { ...operator, tenant });
  const second = await api.ask('GET', `/dead-letters?limit=1&cursor=${String(first.body['nextCursor'])}`, {
    ...operator,
    tenant,
  });
  t.like(second.body, { items: { length: 1, 0: { id: other } }, nextCursor: null });
});

test('a dead letter is read, replayed once, and not found elsewhere', async (t) => {
  const id = await park('default');
  t.like((await api.ask('GET', `/dead-letters/${id}`, operator)).body, { id, cause: 'publish_failed', payload: '{}' });
  t.is((await api.ask('GET', `/dead-letters/${id}`, { ...operator, tenant: 'elsewhere' })).status, 404);
  t.is((await api.ask('POST', `/dead-letters/${id}/replay`, { ...operator, tenant: 'elsewhere' })).status, 404);
  t.like((await api.ask('POST', `/dead-letters/${id}/replay`, operator)).body, {
    outcome: 'replayed',
    deadLetter: { status: 'replayed', replays: 1, resolvedBy: 'op' },
  });
  t.is((await api.ask('POST', `/dead-letters/${id}/replay`, operator)).body['code'], 'dead_letter_not_parked');
});

test('a replay that fails again keeps the dead letter with its new cause; what none can replay says so', async (t) => {
  const event = JSON.stringify({
    specversion: '1.0',
    id: '1',
    source: 'crm',
    type: 'sync.user.confirmed',
    data: { userId: randomUUID(), service: 'crm', userVersion: 1 },
  });
  const unknown = await park('default', {
    source: 'sync-confirmations',
    type: 'sync.user.confirmed',
    cause: 'handler_failed',
    payload: event,
  });
  t.like((await api.ask('POST', `/dead-letters/${unknown}/replay`, operator)).body, {
    outcome: 'failed',
    deadLetter: { status: 'parked', cause: 'unknown_user' },
  });
  const stranger = await park('default', { source: 'stranger' });
  t.is(
    (await api.ask('POST', `/dead-letters/${stranger}/replay`, operator)).body['code'],
    'dead_letter_not_replayable',
  );
});

test('a refused call on a workflow is promised again by its replay', async (t) => {
  const workflowId = `profile:${randomUUID()}`;
  const payload = JSON.stringify({
    kind: 'start',
    workflowType: 'profile',
    workflowId,
    signalName: null,
    signalArg: null,
    input: { tenantId: 'default' },
  });
  const id = await park('default', { source: 'pending-start', payload });
  t.like((await api.ask('POST', `/dead-letters/${id}/replay`, operator)).body, { outcome: 'replayed' });
  const [promised] = await api.db.inTenant('default', (tx) => tx.pendingStart.findMany({ where: { workflowId } }));
  t.like(promised, { kind: 'start', workflowType: 'profile', input: { tenantId: 'default' } });
});

test('a dead letter is discarded with a reason', async (t) => {
  const id = await park('default');
  t.is((await api.ask('POST', `/dead-letters/${id}/discard`, { ...operator, json: { reason: ' ' } })).status, 400);
  t.like((await api.ask('POST', `/dead-letters/${id}/discard`, { ...operator, json: { reason: 'stale' } })).body, {
    status: 'discarded',
    reason: 'stale',
    resolvedBy: 'op',
  });
  t.is((await api.ask('POST', `/dead-letters/${id}/discard`, { ...operator, json: { reason: 'stale' } })).status, 409);
});

test('a bulk replay takes the oldest first and goes on after those that fail again', async (t) => {
  const tenant = 'dead-order';
  const ids: string[] = [];
  for (const [index, source] of ['stranger', 'stranger', 'outgoing-relay'].entries()) {
    const id = await park(tenant, { source });
    await api.db.inTenant(tenant, (tx) =>
      tx.deadLetter.updateMany({ where: { id }, data: { parkedAt: new Date(Date.UTC(2026, 0, 1 + index)) } }),
    );
    ids.push(id);
  }
  const replay = async (cursor?: unknown) =>
    (
      await api.ask('POST', '/dead-letters/replay', {
        ...operator,
        tenant,
        json: { filter: { ids }, limit: 2, ...(cursor === undefined ? {} : { cursor }) },
      })
    ).body;
  const first = await replay();
  t.like(first, { replayed: 0, skipped: 2 });
  t.deepEqual(await replay(first['nextCursor']), { replayed: 1, failed: 0, skipped: 0, nextCursor: null });
  t.like(await replay('no cursor'), { code: 'validation_failed', errors: [{ field: 'body.cursor' }] });
});

test('dead letters are replayed and discarded in bulk, by a filter that is not empty', async (t) => {
  const tenant = 'dead-bulk';
  await Promise.all([park(tenant), park(tenant), park(tenant, { source: 'stranger' })]);
  t.is((await api.ask('POST', '/dead-letters/replay', { ...operator, tenant, json: { filter: {} } })).status, 400);
  t.is(
    (await api.ask('POST', '/dead-letters/discard', { ...operator, tenant, json: { filter: {}, reason: 'x' } })).status,
    400,
  );
  const replayed = await api.ask('POST', '/dead-letters/replay', {
    ...operator,
    tenant,
    json: { filter: { olderThanSeconds: 0 } },
  });
  t.deepEqual(replayed.body, { replayed: 2, failed: 0, skipped: 1, nextCursor: null });
  const discarded = await api.ask('POST', '/dead-letters/discard', {
    ...operator,
    tenant,
    json: { filter: { source: 'stranger' }, reason: "nobody's" },
  });
  t.deepEqual(discarded.body, { discarded: 1 });
});

test('alerts are listed, acknowledged and resolved', async (t) => {
  const id = randomUUID();
  await api.db.inTenant('default', (tx) =>
    tx.alert.create({
      data: {
        tenantId: 'default',
        id,
        kind: 'dead_letter_depth',
        severity: 'warning',
        openKey: `dead_letter_depth:${id}`,
        summary: 'Too many',
        details: { depth: 3 },
      },
    }),
  );
  t.like((await api.ask('GET', '/alerts?status=open&kind=dead_letter_depth', operator)).body, {
    items: { length: 1, 0: { id, details: { depth: 3 }, count: 1 } },
  });
  t.like((await api.ask('POST', `/alerts/${id}/acknowledge`, operator)).body, {
    status: 'acknowledged',
    acknowledgedBy: 'op',
  });
  t.like((await api.ask('POST', `/alerts/${id}/resolve`, operator)).body, { status: 'resolved', resolvedBy: 'op' });
  t.is((await api.ask('POST', `/alerts/${id}/acknowledge`, operator)).body['code'], 'alert_already_resolved');
  t.is((await api.ask('POST', `/alerts/${randomUUID()}/resolve`, operator)).body['code'], 'alert_not_found');
  t.is((await api.ask('POST', `/alerts/${id}/resolve`, { ...operator, tenant: 'elsewhere' })).status, 404);
});

test('a user reads what was written to it, operators also what administrators were told', async (t) => {
  const { body } = await api.ask('POST', '/users', {
    role: 'user',
    sub: 'reader',
    json: { authSubject: 'reader', email: 'reader@example.com' },
  });
  const userId = String(body['id']);
  const notification = {
    tenantId: 'default',
    userId,
    kind: 'profile_expired',
    deadline: new Date('2026-01-08T00:00:00Z'),
    locale: 'fr',
    subject: 's',
    text: 't',
    html: '<p>t</p>',
    status: 'kept',
  } as const;
  await api.db.inTenant('default', (tx) =>
    tx.notification.createMany({
      data: [
        { ...notification, id: randomUUID(), recipient: 'reader@example.com', toUser: true },
        { ...notification, id: randomUUID(), recipient: 'admin@example.com', toUser: false },
      ],
    }),
  );
  t.like((await api.ask('GET', `/users/${userId}/notifications`, { role: 'user', sub: 'reader' })).body, {
    items: { length: 1, 0: { recipient: 'reader@example.com', status: 'kept' } },
  });
  t.like((await api.ask('GET', `/users/${userId}/notifications`, operator)).body, { items: { length: 2 } });
});
