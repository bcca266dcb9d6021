import test, { type ExecutionContext } from 'ava';
import { PoisonError } from '../../src/messaging/bus.ts';
import { createReplayer, type ReplayHandler } from '../../src/messaging/dead-letters/replay.ts';
import type { Db } from '../../src/postgres/client.ts';
import {
  discardDeadLetters,
  getDeadLetter,
  listDeadLetters,
  parkDeadLetter,
  type DeadLetter,
  type DeadLetterCursor,
  type FailedMessage,
} from '../../src/messaging/dead-letters/dead-letters.ts';
import { createDatabase, openTestDb } from '../support/services.ts';

const TENANT = 'acme';
const LETTER: FailedMessage = {
  tenantId: TENANT,
  source: 'consumer',
  type: 'topic',
  cause: 'handler_failed',
  detail: 'not today',
  messageId: '1',
  key: 'key',
  payload: 'not json',
};

async function setUp(t: ExecutionContext): Promise<Db> {
  const database = await createDatabase();
  const db = openTestDb(database.url, 10);
  t.teardown(async () => {
    await db.close();
    await database.drop();
  });
  return db;
}

async function park(db: Db, ...letters: Partial<FailedMessage>[]): Promise<void> {
  for (const letter of letters) await db.inTenant(TENANT, (tx) => parkDeadLetter(tx, { ...LETTER, ...letter }));
}

async function only(db: Db): Promise<DeadLetter> {
  const { items } = await db.inTenant(TENANT, (tx) => listDeadLetters(tx, { limit: 2 }));
  if (items.length !== 1) throw new Error(`there are ${items.length} dead letters`);
  return items[0]!;
}

function replayer(db: Db, consumer: ReplayHandler) {
  return createReplayer({ db, handlers: { consumer } });
}

test('parkDeadLetter keeps one dead letter of a message, with the latest cause', async (t) => {
  const db = await setUp(t);
  await park(db, {}, { cause: 'unknown_user', detail: 'who?\0' });
  t.like(await only(db), {
    status: 'parked',
    cause: 'unknown_user',
    detail: 'who? ',
    payload: 'not json',
    replays: 0,
  });
});

test('parkDeadLetter parks whatever comes: of what is too large it keeps the beginning', async (t) => {
  const db = await setUp(t);
  // No index could keep it whole: it can't be compressed.
  const key = Array.from({ length: 5_000 }, (_, n) => String.fromCodePoint(0x4e00 + ((n * 7_919) % 20_000))).join('');
  const payload = '€'.repeat(3_000_000);
  await park(db, { key, payload });
  const letter = await only(db);
  t.is(letter.key, key.slice(0, 800));
  t.is(letter.payload, payload.slice(0, 2_000_000));
});

test('parkDeadLetter opens a settled dead letter again', async (t) => {
  const db = await setUp(t);
  await park(db, {});
  const { id } = await only(db);
  t.is(
    await db.inTenant(TENANT, (tx) =>
      discardDeadLetters(tx, { tenantId: TENANT, ids: [id] }, { by: 'boss', reason: 'obsolete' }),
    ),
    1,
  );
  t.like(await only(db), { status: 'discarded', resolvedBy: 'boss', reason: 'obsolete' });
  await park(db, {});
  t.like(await only(db), { id, status: 'parked', resolvedAt: null, resolvedBy: null, reason: null });
});

test('listDeadLetters pages through every match once', async (t) => {
  const db = await setUp(t);
  await park(
    db,
    ...Array.from({ length: 7 }, (_, index) => ({ messageId: String(index), type: index < 5 ? 'wanted' : 'other' })),
  );
  const seen: string[] = [];
  let cursor: DeadLetterCursor | null | undefined;
  do {
    const page = await db.inTenant(TENANT, (tx) =>
      listDeadLetters(tx, {
        type: 'wanted',
        source: 'consumer',
        cause: 'handler_failed',
        status: 'parked',
        limit: 2,
        ...(cursor ? { cursor } : {}),
      }),
    );
    seen.push(...page.items.map(({ messageId }) => messageId));
    cursor = page.next;
  } while (cursor !== null);
  t.deepEqual(seen.toSorted(), ['0', '1', '2', '3', '4']);
});

test('listDeadLetters filters by age', async (t) => {
  const db = await setUp(t);
  await park(db, { messageId: 'old' }, { messageId: 'new' });
  await db.inTenant(
    TENANT,
    (tx) => tx.$executeRaw`UPDATE dead_letters SET parked_at = now() - interval '2 h' WHERE message_id = 'old'`,
  );
  const { items } = await db.inTenant(TENANT, (tx) => listDeadLetters(tx, { olderThanMs: 3_600_000, limit: 10 }));
  t.deepEqual(
    items.map(({ messageId }) => messageId),
    ['old'],
  );
});

test('dead letters belong to one tenant', async (t) => {
  const db = await setUp(t);
  await park(db, {});
  const { id } = await only(db);
  t.is(await db.inTenant('other', (tx) => getDeadLetter(tx, id)), null);
  t.is(
    await db.inTenant('other', (tx) => discardDeadLetters(tx, { tenantId: TENANT }, { by: 'them', reason: 'mine' })),
    0,
  );
  t.deepEqual(await replayer(db, async () => {}).replay('other', id, 'them'), { outcome: 'not_found' });
});

test('discardDeadLetters settles what is parked and matches', async (t) => {
  const db = await setUp(t);
  await park(db, { messageId: '1', type: 'a' }, { messageId: '2', type: 'a' }, { messageId: '3', type: 'b' });
  const discard = () =>
    db.inTenant(TENANT, (tx) =>
      discardDeadLetters(tx, { tenantId: TENANT, type: 'a' }, { by: 'boss', reason: 'obsolete' }),
    );
  t.is(await discard(), 2);
  t.is(await discard(), 0);
});

test("replay runs the source's handler and settles the dead letter", async (t) => {
  const db = await setUp(t);
  await park(db, {});
  const { id } = await only(db);
  const calls: string[] = [];
  const { replay } = replayer(
    db,
    async (tenantId, { messageId, payload }) => void calls.push(`${tenantId} ${messageId} ${payload}`),
  );
  t.like(await replay(TENANT, id, 'boss'), {
    outcome: 'replayed',
    deadLetter: { status: 'replayed', replays: 1, resolvedBy: 'boss' },
  });
  t.like(await replay(TENANT, id, 'boss'), { outcome: 'not_parked' });
  t.deepEqual(calls, ['acme 1 not json']);
});

test('replay that fails leaves the dead letter parked with the new cause', async (t) => {
  const db = await setUp(t);
  await park(db, {});
  const { id } = await only(db);
  const { replay } = replayer(db, async () => {
    throw new PoisonError('unknown_user', 'who?');
  });
  t.like(await replay(TENANT, id, 'boss'), {
    outcome: 'failed',
    deadLetter: { status: 'parked', replays: 1, cause: 'unknown_user', detail: 'who?', resolvedBy: null },
  });
  t.like(await replay(TENANT, id, 'boss'), { outcome: 'failed', deadLetter: { replays: 2 } });
});

test('replay by two operators at once takes effect once, and holds no transaction open meanwhile', async (t) => {
  const db = await setUp(t);
  await park(db, {});
  const { id } = await only(db);
  const [entered, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let calls = 0;
  const { replay } = replayer(db, async () => {
    calls += 1;
    entered.resolve();
    await goOn.promise;
  });
  const first = replay(TENANT, id, 'first');
  await entered.promise;
  t.deepEqual(await replay(TENANT, id, 'second'), { outcome: 'busy' });
  const { rows } = await db.pool.query(
    'SELECT FROM pg_stat_activity WHERE datname = current_database() AND (backend_xid IS NOT NULL OR state LIKE ' +
      "'idle in%')",
  );
  t.is(rows.length, 0);
  goOn.resolve();
  t.like(await first, { outcome: 'replayed' });
  t.is(calls, 1);
});

test('replay names a source that it has no handler for', async (t) => {
  const db = await setUp(t);
  await park(db, { source: 'toString' });
  t.like(await replayer(db, async () => {}).replay(TENANT, (await only(db)).id, 'boss'), { outcome: 'no_handler' });
});
