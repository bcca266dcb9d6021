import test from 'ava';
import { createLedger } from '../../src/gateways/payment/ledger/ledger.ts';
import { returnPayment, takePayment } from '../../src/activities/orders/take-payment.ts';
import { paymentRequests } from '../../src/activities/orders/payment-requests.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { losingAnswers, type Losses } from './lost-answers.ts';
import { openShop, type Shop } from '../support/shop.ts';

type Step = Parameters<Shop['run']>[0];

const LIMIT = 10_000;
const ledger = createLedger({ creditLimitMinor: LIMIT });
const take: Step = (client, works) => takePayment(ledger, client, works);
const giveBack: Step = (client, works) => returnPayment(ledger, client, works);

let shop: Shop;
test.before(async () => {
  shop = await openShop();
  await shop.stock('MUG', 0, { priceMinor: 1_000 });
});
test.after.always(() => shop?.close());

async function order(customerId: string, quantity = 1): Promise<string> {
  if ((await shop.read('SELECT FROM users WHERE customer_id = $1', [customerId])).length === 0)
    await shop.addCustomer(customerId);
  return shop.placeValid({ customerId, items: [{ sku: 'MUG', quantity }] });
}

/** Sums by account of everything that touches a customer, and what its account says. */
async function booksOf(customerId: string) {
  const [sums] = await shop.read<{ held: number; owed: number; revenue: number; captures: number }>(
    `
    SELECT coalesce(sum(amount_minor * ((debit_account = 'held:' || $1)::int - (credit_account = 'held:' || $1)::int)),
      0)::float8 AS held,
      coalesce(sum(amount_minor
        * ((debit_account = 'receivable:' || $1)::int - (credit_account = 'receivable:' || $1)::int)),
        0)::float8 AS owed,
      coalesce(sum(amount_minor
        * ((credit_account = 'revenue')::int - (debit_account = 'revenue')::int)), 0)::float8 AS revenue,
      count(*) FILTER (WHERE credit_account = 'revenue')::int AS captures
    FROM ledger_transfers JOIN orders ON orders.id = order_id WHERE customer_id = $1`,
    [customerId],
  );
  const [account] = await shop.read<{ held: number; owed: number }>(
    'SELECT held_minor::float8 AS held, owed_minor::float8 AS owed FROM credit_accounts WHERE customer_id = $1',
    [customerId],
  );
  return { sums, account };
}

test('takePayment holds what an order costs and takes it once, however often it is called', async (t) => {
  const orderId = await order('c-once', 2);
  for (const attempts of [0, 0, 1]) t.deepEqual(await shop.outcomes(take, [orderId], { attempts }), ['done']);
  t.deepEqual(await booksOf('c-once'), {
    sums: { held: 0, owed: 2_000, revenue: 2_000, captures: 1 },
    account: { held: 0, owed: 2_000 },
  });
});

test('takePayment charges once though it is called many times at once', async (t) => {
  const orderId = await order('c-many');
  const outcomes = await Promise.all(
    Array.from({ length: 15 }, (_, n) => shop.outcomes(take, [orderId], { attempts: n % 2 })),
  );
  t.true(outcomes.flat().every((outcome) => outcome === 'done'));
  t.deepEqual(await booksOf('c-many'), {
    sums: { held: 0, owed: 1_000, revenue: 1_000, captures: 1 },
    account: { held: 0, owed: 1_000 },
  });
});

test('takePayment declines what is beyond the limit, though orders of a customer come at once in lists', async (t) => {
  await shop.addCustomer('c-limit');
  const orders = await Promise.all(Array.from({ length: 6 }, () => order('c-limit', 3)));
  const outcomes = (
    await Promise.all([shop.outcomes(take, orders.slice(0, 3)), shop.outcomes(take, orders.slice(3))])
  ).flat();
  t.is(outcomes.filter((outcome) => outcome === 'done').length, 3);
  t.is(outcomes.filter((outcome) => outcome === 'payment_declined').length, 3);
  t.like(await booksOf('c-limit'), { account: { held: 0, owed: 9_000 } });
  t.deepEqual(
    await shop.outcomes(take, orders),
    await shop.outcomes(take, orders),
    'a declined payment stays declined',
  );
});

test('returnPayment refunds what was taken, once', async (t) => {
  const orderId = await order('c-return');
  await shop.run(take, [orderId]);
  for (const step of [giveBack, giveBack]) t.deepEqual(await shop.outcomes(step, [orderId]), ['done']);
  t.deepEqual(await booksOf('c-return'), {
    sums: { held: 0, owed: 0, revenue: 0, captures: 1 },
    account: { held: 0, owed: 0 },
  });
  t.deepEqual(await shop.outcomes(take, [orderId], { attempts: 1 }), ['payment_refunded']);
});

test('returnPayment before takePayment takes nothing and refuses what comes late', async (t) => {
  const orders = [await order('c-undo'), await order('c-undo')];
  t.deepEqual(await shop.outcomes(giveBack, orders), ['done', 'done']);
  t.deepEqual(await shop.outcomes(take, orders, { attempts: 1 }), ['payment_voided', 'payment_voided']);
  t.deepEqual(await shop.outcomes(giveBack, orders), ['done', 'done']);
  t.like(await booksOf('c-undo'), { sums: { captures: 0 }, account: { held: 0, owed: 0 } });
});

test('an answer that gets lost before or after its effect never leads to a second charge', async (t) => {
  const lossesOf: Losses[] = (['authorise', 'capture'] as const).flatMap((call) =>
    (['before', 'after'] as const).map((when) => [{ call, when }]),
  );
  for (const [n, losses] of lossesOf.entries()) {
    const customerId = `c-lost-${n}`;
    const orderId = await order(customerId);
    const port = losingAnswers(ledger, { pool: () => shop.db.pool, losses });
    await t.throwsAsync(
      shop.run((client, works) => takePayment(port, client, works), [orderId]),
      { message: 'No answer in time.' },
    );
    t.deepEqual(await shop.outcomes((client, works) => takePayment(port, client, works), [orderId], { attempts: 1 }), [
      'done',
    ]);
    t.deepEqual(await booksOf(customerId), {
      sums: { held: 0, owed: 1_000, revenue: 1_000, captures: 1 },
      account: { held: 0, owed: 1_000 },
    });
  }
});

test('returnPayment voids what was authorised only, and what of it gets lost is asked for', async (t) => {
  const orderId = await order('c-void');
  const losses: Losses = [
    { call: 'capture', when: 'before' },
    { call: 'void', when: 'after' },
  ];
  const port = losingAnswers(ledger, { pool: () => shop.db.pool, losses });
  await t.throwsAsync(shop.run((client, works) => takePayment(port, client, works), [orderId]));
  t.like(await booksOf('c-void'), { sums: { held: 1_000 }, account: { held: 1_000, owed: 0 } });
  await t.throwsAsync(shop.run((client, works) => returnPayment(port, client, works), [orderId]));
  t.deepEqual(await shop.outcomes((client, works) => returnPayment(port, client, works), [orderId], { attempts: 1 }), [
    'done',
  ]);
  t.like(await booksOf('c-void'), { sums: { held: 0, captures: 0 }, account: { held: 0, owed: 0 } });
});

test('the ledger refuses a key that comes again with another sum, and charges nothing', async (t) => {
  const orderId = await order('c-key');
  await shop.run(take, [orderId]);
  await t.throwsAsync(
    rawTransaction(shop.db.pool, 'test', async (books) => {
      const [payment] = await paymentRequests(books, { tenantId: 'test', orderIds: [orderId] });
      if (payment !== undefined)
        await ledger.authorise({ books, tenantId: 'test', calls: [{ ...payment, amountMinor: 5 }] });
    }),
    { message: /was used for another payment/ },
  );
  t.like(await booksOf('c-key'), { account: { held: 0, owed: 1_000 } });
});
