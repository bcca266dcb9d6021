import { randomUUID } from 'node:crypto';
import type { TestFn } from 'ava';
import { choreographedOrderProcess, type OrderMode } from '../../src/domain/orders/choreographed-order.ts';
import { deliverOrder } from '../../src/db/orders/deliver-order.ts';
import { insertOrder, type NewOrder } from '../../src/db/orders/place-order.ts';
import { changeStock, findProduct, putProduct } from '../../src/db/orders/products.ts';
import { insertRefund } from '../../src/db/orders/request-refund.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { LEDGER, WAREHOUSE, type OrderProviders } from '../../src/domain/orders/order-process.ts';
import { defaultPorts, type OrderPorts } from '../../src/gateways/default-ports.ts';
import { createLedger } from '../../src/gateways/payment/ledger/ledger.ts';
import { startRemoteProviders, type Loss, type RemoteProviders } from '../support/remote-providers.ts';
import { runServices } from '../support/order-services.ts';
import type { Scope } from '../support/scope.ts';
import { until } from '../support/until.ts';
import { createUserWorld, TENANT, type UserWorld } from '../support/user-world.ts';
import { losingAnswers } from './lost-answers.ts';
import { newOrder } from '../support/shop.ts';
import { addCustomer } from '../support/users.ts';

const CREDIT_MINOR = 5_000;

/** How the orders of a run of the suite are carried. */
export interface OrderSuite {
  readonly test: TestFn;
  readonly scope: Scope;
  readonly mode: OrderMode;
  readonly settings?: () => Promise<Readonly<Record<string, string>>>;
}

/** What holds of orders whoever carries them, a workflow or services by messages, and whichever bus those have. */
export function orderSuite({ test, scope, mode, settings = async () => ({}) }: OrderSuite): void {
  let world: UserWorld;
  let remote: RemoteProviders;
  const ledgerLosses: Loss[] = [];
  /** Processes whose rows were locked while somebody else was called. */
  const lockedWhileCalled: string[] = [];

  test.before(async () => {
    remote = await startRemoteProviders(scope, { limitMinor: CREDIT_MINOR, countries: ['FR'], onCall: assertUnlocked });
    const ledger = losingAnswers(createLedger({ creditLimitMinor: CREDIT_MINOR }), {
      pool: () => world.db.pool,
      losses: ledgerLosses,
    });
    const ports = ({ payments, shipping }: OrderPorts): OrderPorts => ({
      payments: { ...payments, byName: { ledger: { local: ledger }, bank: { remote: remote.ports.bank } } },
      shipping: { ...shipping, byName: { ...shipping.byName, carrier: { remote: remote.ports.carrier } } },
    });
    world = await createUserWorld(scope, {
      settings: await settings(),
      poolSize: 25,
      around: (gateways) => ({ ...gateways, ...ports(gateways) }),
    });
    if (mode === 'choreography') await runServices(world, ports(defaultPorts(world.config)));
  });

  /** Looks whether a call is made in a transaction: that has the row of its process locked. */
  async function assertUnlocked(_name: string, body: unknown): Promise<void> {
    const ids = JSON.stringify(body).match(UUID) ?? [];
    const { rowCount } = await rawTransaction(world.db.pool, TENANT, (client) =>
      client.query(
        `SELECT FROM process_states WHERE tenant_id = $1 AND process_id = ANY($2::uuid[]) FOR UPDATE SKIP LOCKED`,
        [TENANT, ids],
      ),
    );
    if (rowCount === 0) lockedWhileCalled.push(...ids);
  }
  const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

  /** Where a payment stands, and the keys of what moved money, as whoever took it says. */
  interface Paid {
    readonly status: string | undefined;
    readonly refunded: number | undefined;
    readonly movements: readonly string[];
  }

  /** Providers that work in the transactions of steps, and such that are called. */
  const KINDS: Readonly<
    Record<string, { providers: OrderProviders; losses: () => Loss[]; paid: (orderId: string) => Promise<Paid> }>
  > = {
    'ledger and warehouse': {
      providers: { payment: LEDGER, shipping: WAREHOUSE },
      losses: () => ledgerLosses,
      paid: (orderId) =>
        world.db.inTenant(TENANT, async (tx) => {
          const payment = await tx.payment.findFirst({ where: { orderId } });
          const transfers = await tx.ledgerTransfer.findMany({ where: { orderId }, orderBy: { key: 'asc' } });
          const keys = transfers.map(({ key }) => key).filter((key) => !key.endsWith(':held'));
          return { status: payment?.status, refunded: Number(payment?.refundedMinor), movements: keys };
        }),
    },
    'bank and carrier': {
      providers: { payment: { name: 'bank', isRemote: true }, shipping: { name: 'carrier', isRemote: true } },
      losses: () => remote.losses,
      paid: async (orderId) => {
        const payment = remote.bank.payments.get(`order:${orderId}:authorise`);
        const movements = (remote.bank.movements.get(orderId) ?? []).toSorted();
        return { status: payment?.status, refunded: payment?.refundedMinor, movements };
      },
    },
  };

  /** Places an order of a new customer for a new product of 1000 a piece, of which there are ten. */
  async function place(quantity: number, order: Partial<NewOrder> = {}): Promise<{ orderId: string; sku: string }> {
    const { pool } = world.db;
    const sku = randomUUID();
    const customerId = randomUUID();
    await addCustomer(world.db, { tenantId: TENANT, customerId });
    await putProduct(pool, { tenantId: TENANT, sku, name: sku, priceMinor: 1_000, currency: 'EUR', isActive: true });
    await changeStock(pool, { tenantId: TENANT, sku, pieces: 10, effectId: randomUUID() });
    const placed = newOrder({
      tenantId: TENANT,
      customerId,
      items: [{ sku, quantity }],
      deliveryLimitMs: 3_600_000,
      now: Date.now(),
      mode,
      answerLimitMs: 60_000,
      ...order,
    });
    await insertOrder(pool, placed);
    return { orderId: placed.orderId, sku };
  }

  function rowOf(processId: string) {
    return world.db.inTenant(TENANT, (tx) =>
      tx.processState.findUniqueOrThrow({ where: { tenantId_processId: { tenantId: TENANT, processId } } }),
    );
  }

  async function untilProcess(processId: string, status: string): Promise<void> {
    await until(async () => (await rowOf(processId)).status === status, { what: `${processId} being ${status}` });
  }

  async function stockOf(sku: string): Promise<(number | undefined)[]> {
    const product = await findProduct(world.db.pool, { tenantId: TENANT, sku });
    return [product?.onHand, product?.reserved, product?.shipped];
  }

  async function deliver(orderId: string): Promise<boolean> {
    const told = await deliverOrder(world.db.pool, {
      tenantId: TENANT,
      processId: orderId,
      processType: mode === 'choreography' ? choreographedOrderProcess.type : 'order',
      workflowId: `order:${orderId}`,
    });
    return told === 'told';
  }

  for (const [kind, { providers, losses, paid }] of Object.entries(KINDS)) {
    test.serial(
      `${kind}: an order is validated, reserved, paid and shipped, and completed by its delivery`,
      async (t) => {
        const { orderId, sku } = await place(3, { providers });
        await untilProcess(orderId, 'waiting');
        t.like(await rowOf(orderId), {
          currentStep: 'await_delivery',
          data: { totalMinor: 3_000, currency: 'EUR', paymentId: `order:${orderId}:authorise` },
        });
        t.deepEqual(await stockOf(sku), [7, 0, 3]);
        t.true(await deliver(orderId));
        await untilProcess(orderId, 'completed');
        t.deepEqual(await paid(orderId), {
          status: 'captured',
          refunded: 0,
          movements: [`order:${orderId}:authorise`, `order:${orderId}:capture`],
        });
        if (mode === 'orchestration')
          t.deepEqual(await world.client.workflow.getHandle(`order:${orderId}`).result(), {
            status: 'completed',
            cause: null,
          });
      },
    );

    test.serial(`${kind}: an order whose payment is declined is undone, with a cause to read`, async (t) => {
      const { orderId, sku } = await place(6, { providers });
      await untilProcess(orderId, 'compensated');
      t.like((await rowOf(orderId)).cause, {
        code: 'payment_declined',
        class: 'refused',
        message: "The payment was declined: it goes beyond the customer's credit.",
      });
      t.deepEqual(await stockOf(sku), [10, 0, 0]);
    });

    test.serial(
      `${kind}: an order that can't be shipped is undone, its payment refunded, its stock back`,
      async (t) => {
        const { orderId, sku } = await place(2, { providers, shipTo: { ...newOrder({}).shipTo, country: 'NZ' } });
        await untilProcess(orderId, 'compensated');
        t.like((await rowOf(orderId)).cause, { code: 'invalid_address' });
        t.like(await paid(orderId), { status: 'refunded', refunded: 2_000 });
        t.deepEqual(await stockOf(sku), [10, 0, 0]);
      },
    );

    test.serial(`${kind}: an order is charged once though answers get lost after their effect`, async (t) => {
      losses().push({ call: 'authorise', when: 'after' }, { call: 'capture', when: 'after' });
      const { orderId } = await place(1, { providers });
      await untilProcess(orderId, 'waiting');
      t.deepEqual(losses(), []);
      t.deepEqual((await paid(orderId)).movements, [`order:${orderId}:authorise`, `order:${orderId}:capture`]);
    });

    test.serial(`${kind}: a refund waits for its goods, restocks them and pays back once`, async (t) => {
      const { orderId, sku } = await place(4, { providers });
      await untilProcess(orderId, 'waiting');
      await deliver(orderId);
      await untilProcess(orderId, 'completed');
      const refundId = randomUUID();
      await insertRefund(world.db.pool, {
        tenantId: TENANT,
        refundId,
        orderId,
        amountMinor: 1_500,
        currency: 'EUR',
        items: [{ sku, quantity: 1 }],
        returnLimitMs: 3_600_000,
        payment: providers.payment,
        now: Date.now(),
      });
      await untilProcess(refundId, 'waiting');
      losses().push({ call: 'refund', when: 'after' });
      await world.client.workflow.getHandle(`refund:${refundId}`).signal('goodsReturned');
      await untilProcess(refundId, 'completed');
      t.deepEqual(losses(), []);
      t.deepEqual(await stockOf(sku), [7, 0, 3]);
      t.like(await paid(orderId), { status: 'captured', refunded: 1_500 });
    });
  }

  test.serial('a shipment whose answer gets lost is asked for, and its order shipped once', async (t) => {
    remote.losses.push({ call: 'accept', when: 'after' });
    const { orderId, sku } = await place(1, { providers: KINDS['bank and carrier']!.providers });
    await untilProcess(orderId, 'waiting');
    t.deepEqual(remote.losses, []);
    t.deepEqual(await stockOf(sku), [9, 0, 1]);
    t.like((await rowOf(orderId)).data, { shipmentId: remote.carrier.shipments.get(orderId)?.shipmentId });
  });

  test.serial('an order that a bank is paid for is shipped by our warehouse in a transaction of ours', async (t) => {
    const { orderId, sku } = await place(1, {
      providers: { payment: { name: 'bank', isRemote: true }, shipping: WAREHOUSE },
    });
    await untilProcess(orderId, 'waiting');
    t.deepEqual(await stockOf(sku), [9, 0, 1]);
    t.is(remote.carrier.shipments.get(orderId), undefined);
  });

  test.serial('no transaction has a process locked while somebody else is called', (t) => {
    t.true(remote.bank.payments.size > 0);
    t.deepEqual(lockedWhileCalled, []);
  });
}
