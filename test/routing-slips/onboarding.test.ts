import { randomUUID } from 'node:crypto';
import test from 'ava';
import type pg from 'pg';
import { z } from 'zod';
import { createSmtpGateway } from '../../src/gateways/mail.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { profileWorkflowId } from '../../src/workflows/profile/profile.messages.ts';
import { runApi, type Answer, type TestApi } from '../support/api.ts';
import { fileScope } from '../support/file-scope.ts';
import { TENANT } from '../support/order-world.ts';
import { startMailServer, type MailServer } from '../support/smtp.ts';
import { until, untilIs } from '../support/until.ts';
import { createUserWorld, type UserWorld } from '../support/user-world.ts';
import { plantUser } from '../support/users.ts';

// Companies that are taken on by the product's own activities, on real PostgreSQL and by real mail.

const scope = fileScope();
let world: UserWorld;
let api: TestApi;
let mails: MailServer;
test.before(async () => {
  mails = await startMailServer();
  scope.teardown(() => mails.close());
  const mail = createSmtpGateway({ url: mails.url, from: 'steadfast@example.com' });
  scope.teardown(() => mail.close());
  world = await createUserWorld(scope, {
    settings: { BUS_POLL_MS: '20' },
    around: (gateways) => ({ ...gateways, mail }),
  });
  api = await runApi(world);
});

const VALID = 'FR 40 303 265 045';
const INVALID = 'FR 41 303 265 045';
const operator = { role: 'operator', sub: 'op' } as const;
const shop = { role: 'service', sub: 'shop' } as const;

const shownSlip = z.looseObject({
  id: z.string(),
  status: z.string(),
  cause: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
  itinerary: z.array(z.looseObject({ leg: z.string(), status: z.string() })),
  variables: z.record(z.string(), z.unknown()),
});
type ShownSlip = z.output<typeof shownSlip>;
type Leg = readonly [activity: string, args: object];

function company() {
  const id = randomUUID();
  const person = (name: string) => ({ authSubject: `auth|${name}|${id}`, email: `${name}-${id}@example.com`, name });
  const email = `office-${id}@example.com`;
  return {
    id,
    email,
    ada: person('ada'),
    bob: person('bob'),
    plan: (plan: string, country: string, taxNumber?: string): Leg => [
      'plan_onboarding',
      { companyId: id, country, plan, ...(taxNumber === undefined ? {} : { taxNumber }) },
    ],
    invite: (...users: readonly object[]): Leg => ['invite_users', { users }],
    credit: (limitMinor: number): Leg => ['open_credit_account', { customerId: id, currency: 'EUR', limitMinor }],
    welcome: ['send_welcome', { email, companyName: 'Ada & Söhne', locale: 'en' }] satisfies Leg,
    mailed: () => mails.received.filter(({ to }) => to.includes(email)),
  };
}

function post(itinerary: readonly Leg[], as: typeof operator | typeof shop = operator): Promise<Answer> {
  const legs = itinerary.map(([activity, args]) => ({ activity, arguments: args }));
  return api.ask('POST', '/processes/routing-slips', { ...as, json: { itinerary: legs } });
}

async function send(itinerary: readonly Leg[], as?: typeof operator | typeof shop): Promise<string> {
  return shownSlip.parse((await post(itinerary, as)).body).id;
}

const read = async (id: string): Promise<ShownSlip> =>
  shownSlip.parse((await api.ask('GET', `/processes/routing-slips/${id}`, operator)).body);

async function untilIt(id: string, status: string): Promise<ShownSlip> {
  await untilIs(async () => (await read(id)).status, status, { what: `slip ${id}` });
  return read(id);
}

const carried = async (itinerary: readonly Leg[], status: string, as?: typeof operator | typeof shop) =>
  untilIt(await send(itinerary, as), status);

const legsOf = ({ itinerary }: ShownSlip) => itinerary.map(({ leg }) => leg);

const rows = <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]) =>
  rawTransaction(world.db.pool, TENANT, async (client) => (await client.query<Row>(text, [...values])).rows);

const limitsOf = async (customerId: string) =>
  (
    await rows<{ limit: string }>('SELECT limit_minor AS limit FROM credit_accounts WHERE customer_id = $1', [
      customerId,
    ])
  ).map(({ limit }) => Number(limit));

/** The users with such a subject who are there. */
const userIdsOf = async (...people: readonly { authSubject: string }[]) =>
  (
    await rows<{ id: string }>('SELECT id FROM users WHERE auth_subject = ANY($1) AND deleted_at IS NULL', [
      people.map(({ authSubject }) => authSubject),
    ])
  ).map(({ id }) => id);

const openAccount = (customerId: string, limitMinor: number, owedMinor = 0) =>
  rows(
    `INSERT INTO credit_accounts (tenant_id, customer_id, currency, limit_minor, owed_minor)
      VALUES ($1, $2, 'EUR', $3, $4)`,
    [TENANT, customerId, limitMinor, owedMinor],
  );

test('a company is taken on by the legs that its country and its plan need', async (t) => {
  const { id, ada, bob, plan, invite, welcome, mailed } = company();
  const slip = await carried([plan('business', 'FR', VALID), invite(bob, ada), welcome], 'completed', shop);
  t.deepEqual(legsOf(slip), [
    '1:plan_onboarding',
    '4:check_tax_number',
    '5:open_credit_account',
    '2:invite_users',
    '3:send_welcome',
  ]);
  const [adaId = '', bobId = ''] = [...(await userIdsOf(ada)), ...(await userIdsOf(bob))];
  t.deepEqual(slip.variables, {
    needsTaxCheck: true,
    taxNumber: '40303265045',
    creditLimitMinor: 2_500_000,
    userIds: [bobId, adaId],
    isWelcomed: true,
  });
  t.deepEqual(await limitsOf(id), [2_500_000]);
  for (const userId of [adaId, bobId])
    await untilIs(
      () =>
        world.client.workflow
          .getHandle(profileWorkflowId(userId))
          .describe()
          .then(
            ({ status }) => status.name,
            () => 'none yet',
          ),
      'RUNNING',
      { what: 'the seven days of a user' },
    );
  const [mail, ...others] = mailed();
  t.deepEqual(others, []);
  t.like(mail, { subject: 'Welcome', messageId: `<routing-slip.${slip.id}.3.send_welcome@steadfast>` });
  t.regex(mail?.text ?? '', /The account of Ada & Söhne is open\./);
  const about = await rows<{ id: string }>('SELECT user_id AS id FROM routing_slip_users WHERE process_id = $1', [
    slip.id,
  ]);
  t.deepEqual(about.map(({ id: userId }) => userId).toSorted(), [adaId, bobId].toSorted());
});

test('other countries and plans need other legs', async (t) => {
  const { plan, welcome } = company();
  const [small, abroad, unknown] = await Promise.all([
    carried([plan('starter', 'DE'), welcome], 'completed'),
    carried([plan('enterprise', 'US', 'whatever'), welcome], 'completed'),
    carried([plan('business', 'FR'), welcome], 'compensated'),
  ]);
  t.deepEqual(legsOf(small), ['1:plan_onboarding', '2:send_welcome']);
  t.deepEqual(legsOf(abroad), ['1:plan_onboarding', '3:open_credit_account', '2:send_welcome']);
  t.is(unknown.cause?.code, 'tax_number_missing');
});

test('a wrong tax number turns it back: invitations and credit are undone, what was there before stays', async (t) => {
  const { id, ada, bob, credit, plan, invite, welcome, mailed } = company();
  await openAccount(id, 500);
  const known = await plantUser(world.db, { tenantId: TENANT, authSubject: ada.authSubject });
  const slip = await carried([credit(7_000), invite(ada, bob), plan('starter', 'FR', INVALID), welcome], 'compensated');
  t.deepEqual(
    slip.itinerary.map(({ leg, status }) => `${leg} ${status}`),
    [
      '1:open_credit_account compensated',
      '2:invite_users compensated',
      '3:plan_onboarding completed',
      '5:check_tax_number failed',
      '4:send_welcome pending',
    ],
  );
  t.is(slip.cause?.code, 'tax_number_invalid');
  t.false(JSON.stringify(slip.cause).includes('303'), 'the message does not have the number');
  t.deepEqual(await limitsOf(id), [500]);
  t.deepEqual(await userIdsOf(ada, bob), [known]);
  const undone = await rows<{ step: string }>(
    "SELECT step FROM process_events WHERE process_id = $1 AND type = 'StepCompensated' ORDER BY sequence",
    [slip.id],
  );
  t.deepEqual(
    undone.map(({ step }) => step),
    ['2:invite_users', '1:open_credit_account'],
  );
  t.deepEqual(mailed(), []);
  const told = await rows<{ topic: string }>(
    `SELECT topic FROM outgoing_messages WHERE key = ANY(
      SELECT user_id::text FROM routing_slip_users WHERE process_id = $1 AND user_id <> $2) AND topic = 'user.deleted'`,
    [slip.id, known],
  );
  t.is(told.length, 1, 'the services of the one who was invited are told');
});

test('credit that is used by then is not taken back, and an operator is asked', async (t) => {
  const { id, credit, plan, welcome } = company();
  await openAccount(id, 500, 600);
  const slip = await carried([credit(7_000), plan('business', 'FR'), welcome], 'compensation_failed');
  t.deepEqual(await limitsOf(id), [7_000]);
  await rows('UPDATE credit_accounts SET owed_minor = 0 WHERE customer_id = $1', [id]);
  await api.ask('POST', `/processes/${slip.id}/retry-compensation`, { ...operator, json: { reason: 'paid' } });
  await untilIt(slip.id, 'compensated');
  t.deepEqual(await limitsOf(id), [500]);
});

test('a service may have credit planned, but does not open it itself', async (t) => {
  const { credit, plan } = company();
  t.like(await post([credit(7_000)], shop), { status: 403, body: { code: 'activity_not_allowed' } });
  const { variables } = await carried([plan('enterprise', 'US')], 'completed', shop);
  t.is(variables['creditLimitMinor'], 10_000_000);
});

test('a welcome that is refused for good turns it back, though it is the point of no return', async (t) => {
  const { id, email, ada, credit, invite, welcome } = company();
  mails.refusals.set(email, 550);
  const slip = await carried([credit(7_000), invite(ada), welcome], 'compensated');
  t.like(slip.cause, { code: 'welcome_refused' });
  t.false(JSON.stringify(slip).includes(`<${email}>`), 'the words of the mail server are not kept');
  t.deepEqual([await limitsOf(id), await userIdsOf(ada)], [[], []]);
});

test('a welcome whose answer got lost is sent again, with the same Message-ID', async (t) => {
  const { email, welcome, mailed } = company();
  let isFirst = true;
  const { beforeReply } = mails;
  mails.beforeReply = (mail) => {
    if (!mail.to.includes(email) || !isFirst) return;
    isFirst = false;
    throw new Error('no answer');
  };
  t.teardown(() => void (mails.beforeReply = beforeReply));
  await carried([welcome], 'completed');
  t.is(mailed().length, 2);
  t.is(new Set(mailed().map(({ messageId }) => messageId)).size, 1);
});

test('a welcome that no mail server takes parks, and goes out when an operator says so', async (t) => {
  const { id, email, credit, welcome, mailed } = company();
  mails.refusals.set(email, 451);
  const parked = await carried([credit(7_000), welcome], 'step_failed');
  t.is(parked.cause, null);
  t.deepEqual(await limitsOf(id), [7_000]);
  mails.refusals.delete(email);
  await api.ask('POST', `/processes/${parked.id}/retry-step`, { ...operator, json: { reason: 'back' } });
  await untilIt(parked.id, 'completed');
  await until(async () => mailed().length === 1, { what: 'one welcome' });
});
