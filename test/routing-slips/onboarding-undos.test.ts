import { randomUUID } from 'node:crypto';
import test from 'ava';
import type pg from 'pg';
import { inviteUsersLeg } from '../../src/activities/routing-slips/invite-users.ts';
import { legSteps } from '../../src/activities/routing-slips/leg-steps.ts';
import { functionOf } from '../../src/activities/process/step-functions.ts';
import type { LegFunctions, TakenLeg } from '../../src/activities/routing-slips/leg-functions.ts';
import { openCreditAccountLeg } from '../../src/activities/routing-slips/open-credit-account.ts';
import { insertRoutingSlip } from '../../src/db/routing-slips/send-routing-slip.ts';
import { SLIP_ACTIVITIES } from '../../src/db/routing-slips/slip-activities.ts';
import { enqueueMessages } from '../../src/messaging/outbox/message-outbox.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { fileScope } from '../support/file-scope.ts';
import { NO_TEMPORAL, temporalAt } from '../support/temporal.ts';
import { createWorld, type World } from '../support/world.ts';

// What undoes the product's activities, also where there is nothing to undo, on real PostgreSQL.

const TENANT = 'test';
const scope = fileScope();
let world: World;
test.before(async () => {
  world = await createWorld(scope, { temporal: temporalAt(scope, NO_TEMPORAL) });
});

const rules = () => ({ config: world.config, subjectHash: ({ authSubject }: { authSubject: string }) => authSubject });

/** A leg of a slip of its own. */
async function newLeg(activity: string, args: object): Promise<TakenLeg> {
  const processId = randomUUID();
  const itinerary = [{ activity, arguments: { ...args } }];
  await insertRoutingSlip(world.db.pool, SLIP_ACTIVITIES, {
    tenantId: TENANT,
    processId,
    service: null,
    itinerary,
    variables: {},
    now: Date.now(),
  });
  return { tenantId: TENANT, processId, leg: `1:${activity}`, arguments: args, attempts: 0, ahead: [] };
}

const inTenant = <Result>(work: (client: pg.ClientBase) => Promise<Result>) =>
  rawTransaction(world.db.pool, TENANT, work);

function localOf({ how }: LegFunctions) {
  if (how.kind !== 'local') throw new Error('it works elsewhere');
  return how.functions;
}

async function take(functions: LegFunctions, leg: TakenLeg): Promise<unknown> {
  const answer = await inTenant((client) => localOf(functions).take(client, leg));
  if (!answer.isDone) throw new Error(answer.code);
  return answer.kept;
}

const undo = (functions: LegFunctions, leg: TakenLeg, kept: unknown) =>
  inTenant(async (client) => localOf(functions).undo?.(client, { ...leg, kept }));

const read = <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]) =>
  inTenant(async (client) => (await client.query<Row>(text, [...values])).rows);

const DONE = { isDone: true };
const limitsOf = (customerId: string) =>
  read<{ limit: string }>('SELECT limit_minor AS limit FROM credit_accounts WHERE customer_id = $1', [customerId]);

async function invited() {
  const authSubject = randomUUID();
  const leg = await newLeg('invite_users', { users: [{ authSubject, email: 'ada@example.com' }] });
  const functions = inviteUsersLeg(rules());
  const kept = await take(functions, leg);
  const [user] = await read<{ id: string }>('SELECT id FROM users WHERE auth_subject = $1', [authSubject]);
  if (user === undefined) throw new Error('nobody was invited');
  const isThere = async () =>
    (await read('SELECT FROM users WHERE id = $1 AND deleted_at IS NULL', [user.id])).length === 1;
  const callsOf = async () =>
    (
      await read<{ call: string }>(
        `SELECT kind || ' ' || split_part(workflow_id, ':', 1) AS call FROM pending_starts
          WHERE split_part(workflow_id, ':', 2) = $1 ORDER BY position`,
        [user.id],
      )
    ).map(({ call }) => call);
  return { functions, leg, kept, authSubject, userId: user.id, isThere, callsOf };
}

test('credit is opened, raised and never lowered, and each time what was before comes back, once', async (t) => {
  const customerId = randomUUID();
  const opened = (limitMinor: number) =>
    newLeg('open_credit_account', { customerId, currency: 'EUR', limitMinor }).then(async (leg) => {
      const kept = await take(openCreditAccountLeg, leg);
      return () => undo(openCreditAccountLeg, leg, kept);
    });
  const first = await opened(500);
  const second = await opened(700);
  const third = await opened(600);
  t.deepEqual(await limitsOf(customerId), [{ limit: '700' }]);
  for (const [back, after] of [
    [third, ['700']],
    [second, ['500']],
    [second, ['500']],
    [first, []],
    [first, []],
  ] as const) {
    t.deepEqual(await back(), DONE);
    t.deepEqual(
      (await limitsOf(customerId)).map(({ limit }) => limit),
      after,
    );
  }
});

test('a limit that somebody else has set since stays', async (t) => {
  const customerId = randomUUID();
  const leg = await newLeg('open_credit_account', { customerId, currency: 'EUR', limitMinor: 500 });
  const kept = await take(openCreditAccountLeg, leg);
  await read('UPDATE credit_accounts SET limit_minor = 900 WHERE customer_id = $1', [customerId]);
  t.deepEqual(await undo(openCreditAccountLeg, leg, kept), DONE);
  t.deepEqual(await limitsOf(customerId), [{ limit: '900' }]);
});

test('an account that was opened is not closed while something is owed on it', async (t) => {
  const customerId = randomUUID();
  const leg = await newLeg('open_credit_account', { customerId, currency: 'EUR', limitMinor: 500 });
  const kept = await take(openCreditAccountLeg, leg);
  await read('UPDATE credit_accounts SET held_minor = 1 WHERE customer_id = $1', [customerId]);
  t.like(await undo(openCreditAccountLeg, leg, kept), { isDone: false, code: 'credit_account_in_use' });
  t.deepEqual(await limitsOf(customerId), [{ limit: '500' }]);
});

test('invitations are taken back as by DELETE /users/:id, once', async (t) => {
  const { functions, leg, kept, userId, isThere, callsOf } = await invited();
  t.deepEqual(await callsOf(), ['start profile', 'start user-sync']);
  for (const _ of [1, 2]) {
    t.deepEqual(await undo(functions, leg, kept), DONE);
    t.false(await isThere());
    t.deepEqual(await callsOf(), ['start profile', 'start user-sync', 'signal profile', 'signal_with_start user-sync']);
  }
  const told = await read<{ topic: string }>('SELECT topic FROM outgoing_messages WHERE key = $1', [userId]);
  t.deepEqual(told, [{ topic: 'user.deleted' }]);
  const promised = await read('SELECT FROM pending_erasures WHERE process_id = $1', [leg.processId]);
  t.is(promised.length, 1, 'what the slip was asked for about them goes');
});

test('who has completed the profile since, or was registered before, is not deleted', async (t) => {
  const { functions, leg, kept, authSubject, userId, isThere } = await invited();
  const again = await newLeg('invite_users', { users: [{ authSubject, email: 'ada@example.com' }] });
  t.deepEqual(await undo(functions, again, await take(functions, again)), DONE);
  t.true(await isThere(), 'another slip had registered it');
  await read('UPDATE users SET profile_completed_at = now() WHERE id = $1', [userId]);
  t.deepEqual(await undo(functions, leg, kept), DONE);
  t.true(await isThere());
});

test('an undo that began before a change of its user is tried again: services hear of the change first', async (t) => {
  const { functions, leg, kept, userId, isThere } = await invited();
  const overtaken = inTenant(async (client) => {
    await client.query('SELECT pg_current_xact_id()');
    await world.system.acrossTenants((other) =>
      enqueueMessages(other, [
        { tenantId: TENANT, messageId: randomUUID(), topic: 'user.updated', key: userId, payload: '{}' },
      ]),
    );
    await localOf(functions).undo?.(client, { ...leg, kept });
  });
  t.like(await t.throwsAsync(overtaken), { code: 'users_changing' });
  t.true(await isThere());
  t.deepEqual(await undo(functions, leg, kept), DONE);
  t.false(await isThere());
});

test('an identity that deleted too many users of late is not invited, and nobody with it', async (t) => {
  const refused = `b ${randomUUID()}`;
  const before = `a ${randomUUID()}`; // registered first
  await read(
    `INSERT INTO former_users (tenant_id, subject_hash, deletions, counted_since, deleted_at)
      VALUES ($1, $2, 1000, now(), now())`,
    [TENANT, refused],
  );
  const { processId, leg } = await newLeg('invite_users', {
    users: [refused, before].map((authSubject) => ({ authSubject, email: 'ada@example.com' })),
  });
  const data = { itinerary: [leg], [leg]: {} };
  const step = functionOf(legSteps({ invite_users: inviteUsersLeg(rules()) }).takeLeg, data, leg);
  if (!('local' in step)) throw new Error('it works elsewhere');
  const work = { tenantId: TENANT, processId, data, attempts: 0 };
  t.like((await inTenant((client) => step.local(client, [work])))[0], { isDone: false, code: 'identity_refused' });
  t.deepEqual(await read('SELECT FROM users WHERE auth_subject = ANY($1)', [[refused, before]]), []);
});
