import test from 'ava';
import { acceptRefund, releaseRefund } from '../../src/activities/orders/accept-refund.ts';
import { payBack } from '../../src/activities/orders/pay-back.ts';
import { takePayment } from '../../src/activities/orders/take-payment.ts';
import { reserveStock } from '../../src/activities/orders/reserve-stock.ts';
import { restockGoods, unstockGoods } from '../../src/activities/orders/restock-goods.ts';
import { createShipment } from '../../src/activities/orders/create-shipment.ts';
import { localStep, remoteStep } from '../../src/activities/process/provider-step.ts';
import { createLedger } from '../../src/gateways/payment/ledger/ledger.ts';
import { createWarehouse } from '../../src/gateways/shipping/warehouse.ts';
import { losingAnswers } from './lost-answers.ts';
import { startRemoteProviders, type Loss, type RemoteProviders } from '../support/remote-providers.ts';
import { fileScope } from '../support/file-scope.ts';
import { openShop, type Shop } from '../support/shop.ts';

type Step = Parameters<Shop['run']>[0];

const scope = fileScope();
let shop: Shop;
let providers: RemoteProviders;
const ledger = createLedger({ creditLimitMinor: 1_000_000 });

test.before(async () => {
  shop = await openShop(scope);
  providers = await startRemoteProviders(scope, { limitMinor: 1_000_000, countries: ['FR'] });
  await shop.addCustomer('customer-1');
});

/** The steps by the ledger, in one transaction, and by the bank, apart from any, with answers that get lost. */
const KINDS = {
  ledger: (losses: Loss[] = []): Record<'take' | 'accept' | 'pay', Step> => {
    const provider = losses.length === 0 ? ledger : losingAnswers(ledger, { pool: () => shop.db.pool, losses });
    return {
      take: localStep(takePayment, provider),
      accept: localStep(acceptRefund, provider),
      pay: localStep(payBack, provider),
    };
  },
  bank: (losses: Loss[] = []): Record<'take' | 'accept' | 'pay', Step> => {
    if (losses.length > 0) providers.losses.push(...losses);
    const bank = () => providers.ports.bank;
    return {
      take: remoteStep(takePayment, bank),
      accept: remoteStep(acceptRefund, bank),
      pay: remoteStep(payBack, bank),
    };
  },
};
/** An order of four pieces for 4000 that was shipped. */
async function shipped(sku: string, { take } = KINDS.ledger()): Promise<string> {
  await shop.stock(sku, 10);
  const orderId = await shop.placeValid({ items: [{ sku, quantity: 4 }] });
  await shop.run(reserveStock, [orderId]);
  await shop.run(take, [orderId]);
  await shop.run(localStep(createShipment, createWarehouse({ countries: ['FR'] })), [orderId]);
  return orderId;
}

async function refundedMinor(orderId: string): Promise<number | undefined> {
  const [row] = await shop.read<{ refunded: number }>(
    'SELECT refunded_minor::float8 AS refunded FROM payments WHERE order_id = $1',
    [orderId],
  );
  return row?.refunded ?? providers.bank.payments.get(`order:${orderId}:authorise`)?.refundedMinor;
}

for (const [kind, steps] of Object.entries(KINDS)) {
  const { accept, pay } = steps();

  test(`${kind}: partial refunds of an order never exceed what was captured, though they come at once`, async (t) => {
    const orderId = await shipped(`A-${kind}`, steps());
    const refunds = await Promise.all(Array.from({ length: 8 }, () => shop.askRefund({ orderId, amountMinor: 1_500 })));
    const accepted = (
      await Promise.all(
        [accept, accept, accept, accept].map((step, n) => shop.outcomes(step, refunds.slice(n * 2, n * 2 + 2))),
      )
    ).flat();
    t.is(accepted.filter((outcome) => outcome === 'done').length, 2);
    t.is(accepted.filter((outcome) => outcome === 'refund_exceeds_payment').length, 6);
    const good = refunds.filter((_, place) => accepted[place] === 'done');
    t.deepEqual(
      await shop.outcomes(pay, refunds),
      accepted.map((outcome) => (outcome === 'done' ? 'done' : 'refund_undone')),
    );
    t.deepEqual(await shop.outcomes(pay, good, { attempts: 1 }), ['done', 'done']);
    t.is(await refundedMinor(orderId), 3_000);
    const rest = await shop.askRefund({ orderId, amountMinor: 1_000 });
    t.deepEqual([await shop.outcomes(accept, [rest]), await shop.outcomes(pay, [rest])], [['done'], ['done']]);
    t.is(await refundedMinor(orderId), 4_000);
    t.deepEqual(await shop.outcomes(accept, [await shop.askRefund({ orderId, amountMinor: 1 })]), [
      'refund_exceeds_payment',
    ]);
  });

  test.serial(`${kind}: payBack whose answer gets lost asks, and pays once`, async (t) => {
    const orderId = await shipped(`B-${kind}`, steps());
    const refundId = await shop.askRefund({ orderId, amountMinor: 1_000 });
    await shop.run(accept, [refundId]);
    const lossy = steps([{ call: 'refund', when: 'after' }]);
    await t.throwsAsync(shop.run(lossy.pay, [refundId]), { message: 'No answer in time.' });
    t.deepEqual(await shop.run(lossy.pay, [refundId], { attempts: 1 }), [
      { isDone: true, result: { transferKey: `refund:${refundId}` } },
    ]);
    t.is(await refundedMinor(orderId), 1_000);
  });

  test(`${kind}: releaseRefund frees the sum, and refuses an acceptance that comes late and a payment`, async (t) => {
    const orderId = await shipped(`C-${kind}`, steps());
    const [first, second] = [
      await shop.askRefund({ orderId, amountMinor: 4_000 }),
      await shop.askRefund({ orderId, amountMinor: 4_000 }),
    ];
    t.deepEqual(await shop.outcomes(accept, [first, second]), ['done', 'refund_exceeds_payment']);
    for (const step of [releaseRefund, releaseRefund]) t.deepEqual(await shop.outcomes(step, [first]), ['done']);
    t.deepEqual(await shop.outcomes(accept, [first, second]), ['refund_undone', 'done']);
    t.deepEqual(await shop.outcomes(pay, [first, second]), ['refund_undone', 'done']);
    t.deepEqual(await shop.outcomes(releaseRefund, [second]), ['refund_paid']);
  });
}

test('acceptRefund refuses what was not shipped, another currency, and more pieces than are out', async (t) => {
  const { accept } = KINDS.ledger();
  const orderId = await shipped('D');
  const open = await shop.placeValid({ items: [{ sku: 'D', quantity: 1 }] });
  const items = [{ sku: 'D', quantity: 3 }];
  const refunds = [
    await shop.askRefund({ orderId: open, amountMinor: 1 }),
    await shop.askRefund({ orderId, amountMinor: 1, currency: 'CHF' }),
    await shop.askRefund({ orderId, amountMinor: 1, items }),
    await shop.askRefund({ orderId, amountMinor: 1, items }),
  ];
  t.deepEqual(await shop.outcomes(accept, refunds), [
    'order_not_shipped',
    'currency_mismatch',
    'done',
    'refund_exceeds_order',
  ]);
});

test('restockGoods and unstockGoods move the pieces once, and a late restock is refused', async (t) => {
  const orderId = await shipped('E');
  const refundId = await shop.askRefund({
    orderId,
    amountMinor: 1_000,
    items: [{ sku: 'E', quantity: 1 }],
    returnLimitMs: 1,
  });
  for (const step of [restockGoods, restockGoods]) t.deepEqual(await shop.outcomes(step, [refundId]), ['done']);
  t.deepEqual(await shop.pieces('E'), [7, 0, 3]);
  for (const step of [unstockGoods, unstockGoods]) t.deepEqual(await shop.outcomes(step, [refundId]), ['done']);
  t.deepEqual(await shop.pieces('E'), [6, 0, 4]);
  t.deepEqual(await shop.outcomes(restockGoods, [refundId]), ['refund_undone']);
  const undone = await shop.askRefund({
    orderId,
    amountMinor: 1_000,
    items: [{ sku: 'E', quantity: 1 }],
    returnLimitMs: 1,
  });
  t.deepEqual(await shop.outcomes(unstockGoods, [undone]), ['done']);
  t.deepEqual(await shop.outcomes(restockGoods, [undone]), ['refund_undone']);
  t.deepEqual(await shop.pieces('E'), [6, 0, 4]);
});

test('unstockGoods refuses to take pieces that are reserved meanwhile', async (t) => {
  const orderId = await shipped('F');
  const refundId = await shop.askRefund({
    orderId,
    amountMinor: 1_000,
    items: [{ sku: 'F', quantity: 1 }],
    returnLimitMs: 1,
  });
  await shop.run(restockGoods, [refundId]);
  await shop.run(reserveStock, [await shop.place({ items: [{ sku: 'F', quantity: 7 }] })]);
  t.deepEqual(await shop.outcomes(unstockGoods, [refundId]), ['goods_reserved']);
  t.deepEqual(await shop.pieces('F'), [7, 7, 3]);
});
