import test from 'ava';
import { PoisonError, type BusMessage } from '../../src/messaging/bus.ts';
import { TOPICS, userEvent } from '../../src/events/user-events.ts';
import type { CopyStore } from './copy-store.ts';
import { InfrastructureError } from './errors.ts';
import { pauseAfterMs } from './kept-deletions.ts';
import { createMemoryStore } from './memory-store.ts';
import { createUserEventsHandler, type UserEventHandlers, type UserEventOutcome } from './user-events-handler.ts';
import type { SyncedUser } from './user-events.ts';

const USER = {
  tenantId: 'acme',
  id: '0b0e7a2c-5c1c-4a57-9c3e-3f1f0d1f0a01',
  authSubject: 'auth|1',
  email: 'ada@example.com',
  name: 'Ada Lovelace',
  locale: 'fr',
  phone: null,
  status: 'active',
  customerId: null,
  customerKind: null,
  updatedAt: new Date('2026-01-02T03:04:05Z'),
} as const;

function told(
  version: number,
  { messageId = `e${version}`, services = ['accounting'] }: { messageId?: string; services?: string[] } = {},
): BusMessage {
  return userEvent({
    topic: version === 1 ? TOPICS.userCreated : TOPICS.userUpdated,
    messageId,
    user: { ...USER, version },
    services,
  });
}

const gone = userEvent({
  topic: TOPICS.userDeleted,
  messageId: 'gone',
  user: { ...USER, version: 3 },
  services: ['accounting'],
});

/** A service with a memory: what it took over, deleted and sent. */
function service(rest: Partial<UserEventHandlers<undefined>> & { publish?: () => Promise<void> } = {}) {
  const taken: SyncedUser[] = [];
  const sent: BusMessage[] = [];
  const outcomes: UserEventOutcome[] = [];
  let deletions = 0;
  const store = rest.store ?? createMemoryStore();
  const { handle, remove } = createUserEventsHandler<undefined>({
    service: 'accounting',
    bus: {
      publish: async (messages) => {
        await rest.publish?.();
        sent.push(...messages);
      },
    },
    onUser: async (user) => void taken.push(user),
    onUserDeleted: async () => void (deletions += 1),
    onOutcome: ({ outcome }) => void outcomes.push(outcome),
    ...rest,
    store,
  });
  const answers = () => sent.map(({ topic, payload }) => `${topic} ${JSON.parse(payload).data.userVersion}`);
  return { handle, remove, store, taken, sent, answers, outcomes, deletions: () => deletions };
}

test("a user's event is taken over and confirmed", async (t) => {
  const { handle, taken, answers, outcomes } = service();
  await handle(told(1));
  t.deepEqual(taken, [
    {
      tenantId: 'acme',
      userId: USER.id,
      userVersion: 1,
      eventId: 'e1',
      authSubject: 'auth|1',
      email: 'ada@example.com',
      name: 'Ada Lovelace',
      locale: 'fr',
      phone: null,
      status: 'active',
      customerId: null,
      customerKind: null,
    },
  ]);
  t.deepEqual(answers(), ['sync.user.confirmed 1']);
  t.deepEqual(outcomes, ['confirmed']);
});

test('a repeated event is confirmed again under the same id, without a second effect', async (t) => {
  const { handle, taken, sent, outcomes } = service();
  await handle(told(1));
  await handle(told(1));
  t.is(taken.length, 1);
  t.is(sent.length, 2);
  t.is(sent[0]?.messageId, sent[1]?.messageId);
  t.deepEqual(outcomes, ['confirmed', 'confirmed_again']);
});

test('an older version is not taken over, and not confirmed either', async (t) => {
  const { handle, taken, answers, outcomes } = service();
  await handle(told(2));
  await handle(told(1));
  t.deepEqual(
    taken.map(({ userVersion }) => userVersion),
    [2],
  );
  t.deepEqual(answers(), ['sync.user.confirmed 2', 'sync.user.failed 1']);
  t.deepEqual(outcomes, ['confirmed', 'stale']);
});

test('events for other services are left alone', async (t) => {
  const { handle, taken, sent, outcomes } = service();
  await handle(told(1, { services: ['portfolio'] }));
  t.deepEqual([taken.length, sent.length], [0, 0]);
  t.deepEqual(outcomes, ['not_ours']);
});

test('a failure of onUser is reported without personal data, and the event is done with', async (t) => {
  let attempts = 0;
  const { handle, sent, answers } = service({
    onUser: async () => {
      attempts += 1;
      if (attempts === 1) throw new Error('no ledger for Ada Lovelace');
    },
  });
  await handle(told(1));
  t.is(JSON.parse(sent[0]!.payload).data.error, 'no ledger for […]');
  await handle(told(1, { messageId: 'retry' }));
  t.deepEqual(answers(), ['sync.user.failed 1', 'sync.user.confirmed 1']);
});

test('a deletion has its effect once and is confirmed each time; what comes later is stale', async (t) => {
  const { handle, answers, taken, deletions, outcomes } = service();
  await handle(told(1));
  await handle(gone);
  await handle(gone);
  await handle(told(2));
  t.deepEqual([taken.length, deletions()], [1, 1]);
  t.deepEqual(answers(), [
    'sync.user.confirmed 1',
    'sync.user.confirmed 3',
    'sync.user.confirmed 3',
    'sync.user.failed 2',
  ]);
  t.deepEqual(outcomes, ['confirmed', 'deleted', 'deleted_before', 'stale']);
});

test('a service that is not asked forgets a deleted user too, and does not answer', async (t) => {
  const { handle, deletions, answers } = service();
  await handle({ ...gone, payload: gone.payload.replace('"services":["accounting"]', '"services":["portfolio"]') });
  t.is(deletions(), 1);
  t.deepEqual(answers(), []);
});

test('a deletion that fails is kept and reported, and confirmed once it was done', async (t) => {
  let failures = 2;
  const { handle, remove, store, answers, outcomes } = service({
    onUserDeleted: async () => {
      if (failures-- > 0) throw new Error('busy');
    },
  });
  await handle(gone);
  t.deepEqual(await store.deletions?.claim(10), [], 'it is not due at once');
  await store.deletions?.replay();
  for (const user of (await store.deletions?.claim(10)) ?? []) await remove(user);
  t.deepEqual(
    (await store.deletions?.list())?.map(({ attempts, user }) => [user.userId, attempts]),
    [[USER.id, 2]],
  );
  await store.deletions?.replay();
  for (const user of (await store.deletions?.claim(10)) ?? []) await remove(user);
  t.deepEqual(answers(), ['sync.user.failed 3', 'sync.user.failed 3', 'sync.user.confirmed 3']);
  t.deepEqual(outcomes, ['deletion_kept', 'deletion_kept', 'deleted']);
  t.deepEqual(await store.deletions?.list(), []);
});

test('a deletion that is kept is done with when it comes again and succeeds', async (t) => {
  let failures = 1;
  const { handle, store, answers } = service({
    onUserDeleted: async () => {
      if (failures-- > 0) throw new Error('busy');
    },
  });
  await handle(gone);
  await handle({ ...gone, payload: JSON.stringify({ ...JSON.parse(gone.payload), id: 'again' }) });
  t.deepEqual(answers(), ['sync.user.failed 3', 'sync.user.confirmed 3']);
  t.deepEqual(await store.deletions?.list(), []);
});

test('a failed deletion is left to the bus by a store that keeps none', async (t) => {
  const failure = new Error('busy');
  const { deletions: _deletions, ...store } = createMemoryStore();
  const { handle } = service({ store, onUserDeleted: () => Promise.reject(failure) });
  t.is(await t.throwsAsync(handle(gone)), failure);
});

test('the pause after a deletion that failed doubles up to an hour', (t) => {
  t.deepEqual([1, 2, 5, 12, 13, 5_000].map(pauseAfterMs), [1_000, 2_000, 16_000, 2_048_000, 3_600_000, 3_600_000]);
});

test('without the bus an event waits, and is confirmed once it is back, without a second effect', async (t) => {
  let isAway = true;
  const { handle, taken, answers } = service({
    publish: async () => {
      if (isAway) throw new Error('away');
    },
  });
  await t.throwsAsync(handle(told(1)), { instanceOf: InfrastructureError });
  isAway = false;
  await handle(told(1));
  t.is(taken.length, 1);
  t.deepEqual(answers(), ['sync.user.confirmed 1']);
});

test('without the store an event is not done with, and nothing is said', async (t) => {
  const store: CopyStore<undefined> = { withCopy: () => Promise.reject(new Error('away')) };
  const { handle, sent } = service({ store });
  await t.throwsAsync(handle(told(1)), { instanceOf: InfrastructureError });
  t.is(sent.length, 0);
});

test('a malformed event is poison, and reported when it names a user of this service', async (t) => {
  const malformed = { ...told(2), payload: JSON.stringify({ ...JSON.parse(told(2).payload), specversion: '0.3' }) };
  const { handle, answers, outcomes } = service();
  await t.throwsAsync(handle(malformed), { instanceOf: PoisonError, code: 'malformed_event' });
  await t.throwsAsync(handle({ ...malformed, payload: '{' }), { instanceOf: PoisonError });
  await t.throwsAsync(handle({ ...told(2), topic: TOPICS.userCreated }), { instanceOf: PoisonError });
  t.deepEqual(answers(), ['sync.user.failed 2', 'sync.user.failed 2']);
  t.deepEqual(outcomes, ['malformed', 'malformed', 'malformed']);
});

test('two deliveries of one event at the same time have one effect', async (t) => {
  let effects = 0;
  const { handle, outcomes } = service({
    onUser: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      effects += 1;
    },
  });
  await Promise.all([handle(told(1)), handle(told(1))]);
  t.is(effects, 1);
  t.deepEqual(outcomes.toSorted(), ['confirmed', 'confirmed_again']);
});
