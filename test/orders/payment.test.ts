import test from 'ava';
import { createLedger } from '../../src/gateways/payment/ledger/ledger.ts';
import { returnPayment, takePayment } from '../../src/activities/orders/take-payment.ts';
import { paymentRequests } from '../../src/activities/orders/payment-requests.ts';
import { localStep, remoteStep } from '../../src/activities/process/provider-step.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { losingAnswers } from './lost-answers.ts';
import { startRemoteProviders, type Loss, type RemoteProviders } from '../support/remote-providers.ts';
import { fileScope } from '../support/file-scope.ts';
import { openShop, type Shop } from '../support/shop.ts';

type Step = Parameters<Shop['run']>[0];

const LIMIT = 10_000;
const ledger = createLedger({ creditLimitMinor: LIMIT });
const scope = fileScope();
let shop: Shop;
let providers: RemoteProviders;
test.before(async () => {
  shop = await openShop(scope);
  providers = await startRemoteProviders(scope, { limitMinor: LIMIT, countries: [] });
  await shop.stock('MUG', 0, { priceMinor: 1_000 });
});

async function order(customerId: string, quantity = 1): Promise<string> {
  if ((await shop.read('SELECT FROM users WHERE customer_id = $1', [customerId])).length === 0)
    await shop.addCustomer(customerId);
  return shop.placeValid({ customerId, items: [{ sku: 'MUG', quantity }] });
}

/** Sums by account of everything that touches a customer, and what its account says. */
async function ledgerOf(customerId: string) {
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

/** The same sums in the bank's books, which keep no account beside them. */
async function bankOf(customer: string) {
  const { payments, movements } = providers.bank;
  const own = [...payments.values()].filter(({ customerId }) => customerId === customer);
  const sumOf = (status: string, owed: (payment: (typeof own)[number]) => number): number =>
    own.filter((payment) => payment.status === status).reduce((sum, payment) => sum + owed(payment), 0);
  const held = sumOf('authorised', ({ amountMinor }) => amountMinor);
  const owed = sumOf('captured', ({ amountMinor, refundedMinor }) => amountMinor - refundedMinor);
  const keys = own.flatMap(({ orderId }) => movements.get(orderId) ?? []);
  const captures = keys.filter((key) => key.endsWith(':capture')).length;
  return { sums: { held, owed, revenue: owed, captures }, account: { held, owed } };
}

/** The steps by the ledger, in one transaction, and by the bank, apart from any, with answers that get lost. */
const KINDS = {
  ledger: {
    booksOf: ledgerOf,
    steps: (losses: Loss[] = []): { take: Step; giveBack: Step } => {
      const provider = losses.length === 0 ? ledger : losingAnswers(ledger, { pool: () => shop.db.pool, losses });
      return { take: localStep(takePayment, provider), giveBack: localStep(returnPayment, provider) };
    },
  },
  bank: {
    booksOf: bankOf,
    steps: (losses: Loss[] = []): { take: Step; giveBack: Step } => {
      if (losses.length > 0) providers.losses.push(...losses);
      const bank = () => providers.ports.bank;
      return { take: remoteStep(takePayment, bank), giveBack: remoteStep(returnPayment, bank) };
    },
  },
};

for (const [kind, { booksOf, steps }] of Object.entries(KINDS)) {
  const { take, giveBack } = steps();

  test(`${kind}: takePayment holds what an order costs and takes it once, however often it is called`, async (t) => {
    const orderId = await order(`${kind}-once`, 2);
    for (const attempts of [0, 0, 1]) t.deepEqual(await shop.outcomes(take, [orderId], { attempts }), ['done']);
    t.deepEqual(await booksOf(`${kind}-once`), {
      sums: { held: 0, owed: 2_000, revenue: 2_000, captures: 1 },
      account: { held: 0, owed: 2_000 },
    });
  });

  test(`${kind}: takePayment charges once though it is called many times at once`, async (t) => {
    const orderId = await order(`${kind}-many`);
    const outcomes = await Promise.all(
      Array.from({ length: 15 }, (_, n) => shop.outcomes(take, [orderId], { attempts: n % 2 })),
    );
    t.true(outcomes.flat().every((outcome) => outcome === 'done'));
    t.deepEqual(await booksOf(`${kind}-many`), {
      sums: { held: 0, owed: 1_000, revenue: 1_000, captures: 1 },
      account: { held: 0, owed: 1_000 },
    });
  });

  test(`${kind}: takePayment declines what is beyond the limit, though orders come at once in lists`, async (t) => {
    await shop.addCustomer(`${kind}-limit`);
    const orders = await Promise.all(Array.from({ length: 6 }, () => order(`${kind}-limit`, 3)));
    const outcomes = (
      await Promise.all([shop.outcomes(take, orders.slice(0, 3)), shop.outcomes(take, orders.slice(3))])
    ).flat();
    t.is(outcomes.filter((outcome) => outcome === 'done').length, 3);
    t.is(outcomes.filter((outcome) => outcome === 'payment_declined').length, 3);
    t.like(await booksOf(`${kind}-limit`), { account: { held: 0, owed: 9_000 } });
    t.deepEqual(
      await shop.outcomes(take, orders),
      await shop.outcomes(take, orders),
      'a declined payment stays declined',
    );
  });

  test(`${kind}: returnPayment refunds what was taken, once`, async (t) => {
    const orderId = await order(`${kind}-return`);
    await shop.run(take, [orderId]);
    for (const step of [giveBack, giveBack]) t.deepEqual(await shop.outcomes(step, [orderId]), ['done']);
    t.deepEqual(await booksOf(`${kind}-return`), {
      sums: { held: 0, owed: 0, revenue: 0, captures: 1 },
      account: { held: 0, owed: 0 },
    });
    t.deepEqual(await shop.outcomes(take, [orderId], { attempts: 1 }), ['payment_refunded']);
  });

  test(`${kind}: returnPayment before takePayment takes nothing and refuses what comes late`, async (t) => {
    const orders = [await order(`${kind}-undo`), await order(`${kind}-undo`)];
    t.deepEqual(await shop.outcomes(giveBack, orders), ['done', 'done']);
    t.deepEqual(await shop.outcomes(take, orders, { attempts: 1 }), ['payment_voided', 'payment_voided']);
    t.deepEqual(await shop.outcomes(giveBack, orders), ['done', 'done']);
    t.like(await booksOf(`${kind}-undo`), { sums: { captures: 0 }, account: { held: 0, owed: 0 } });
  });

  test.serial(
    `${kind}: an answer that gets lost before or after its effect never leads to a second charge`,
    async (t) => {
      const lossesOf: Loss[][] = (['authorise', 'capture'] as const).flatMap((call) =>
        (['before', 'after'] as const).map((when) => [{ call, when }]),
      );
      for (const [n, losses] of lossesOf.entries()) {
        const customerId = `${kind}-lost-${n}`;
        const orderId = await order(customerId);
        const lossy = steps(losses);
        await t.throwsAsync(shop.run(lossy.take, [orderId]), { message: 'No answer in time.' });
        t.deepEqual(await shop.outcomes(lossy.take, [orderId], { attempts: 1 }), ['done']);
        t.deepEqual(await booksOf(customerId), {
          sums: { held: 0, owed: 1_000, revenue: 1_000, captures: 1 },
          account: { held: 0, owed: 1_000 },
        });
      }
    },
  );

  test.serial(
    `${kind}: returnPayment voids what was authorised only, and what of it gets lost is asked for`,
    async (t) => {
      const orderId = await order(`${kind}-void`);
      const losses: Loss[] = [
        { call: 'capture', when: 'before' },
        { call: 'void', when: 'after' },
      ];
      const lossy = steps(losses);
      await t.throwsAsync(shop.run(lossy.take, [orderId]));
      t.like(await booksOf(`${kind}-void`), { sums: { held: 1_000 }, account: { held: 1_000, owed: 0 } });
      await t.throwsAsync(shop.run(lossy.giveBack, [orderId]));
      t.deepEqual(await shop.outcomes(lossy.giveBack, [orderId], { attempts: 1 }), ['done']);
      t.like(await booksOf(`${kind}-void`), { sums: { held: 0, captures: 0 }, account: { held: 0, owed: 0 } });
    },
  );
}

test('the ledger refuses a key that comes again with another sum, and charges nothing', async (t) => {
  const orderId = await order('c-key');
  await shop.run(localStep(takePayment, ledger), [orderId]);
  await t.throwsAsync(
    rawTransaction(shop.db.pool, 'test', async (books) => {
      const [payment] = await paymentRequests(books, { tenantId: 'test', orderIds: [orderId] });
      if (payment !== undefined)
        await ledger(books).authorise({ tenantId: 'test', calls: [{ ...payment, amountMinor: 5 }] });
    }),
    { message: /was used for another payment/ },
  );
  t.like(await ledgerOf('c-key'), { account: { held: 0, owed: 1_000 } });
});

test.serial('calls that take effect long after their caller gave up, and undid them, are refused', async (t) => {
  const { take, giveBack } = KINDS.bank.steps();
  for (const call of ['authorise', 'capture']) {
    const customerId = `late-${call}`;
    const orderId = await order(customerId);
    providers.losses.push({ call, when: 'late' });
    await t.throwsAsync(shop.run(take, [orderId]), { message: 'No answer in time.' });
    t.deepEqual(await shop.outcomes(giveBack, [orderId]), ['done']);
    providers.deliverLate();
    t.like(await bankOf(customerId), { sums: { held: 0, owed: 0, captures: 0 } });
  }
});
