import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import type { Config } from '../../src/config/config.ts';
import type { Db, SystemDb } from '../../src/postgres/client.ts';
import { defaultPorts, type OrderPorts } from '../../src/gateways/default-ports.ts';
import { StepFailure } from '../../src/domain/process/step-work.ts';
import type { PaymentPort } from '../../src/gateways/payment/payment-port.ts';
import type { ShippingPort } from '../../src/gateways/shipping/shipping-port.ts';
import { runApi, type Answer, type TestApi } from './api.ts';
import { around } from './faulty-ports.ts';
import type { Scope } from './scope.ts';
import { untilIs } from './until.ts';
import { createUserWorld } from './user-world.ts';

export const TENANT = 'default';
export const operator = { role: 'operator', sub: 'op' } as const;
export const service = { role: 'service', sub: 'shop' } as const;

/** Country to which the warehouse does not ship. */
export const REFUSED_COUNTRY = 'ZZ';

/** The API with a worker that carries out orders, on real ports whose calls a test may let fail. */
export interface OrderWorld {
  readonly api: TestApi;
  /** The superuser's. */
  readonly databaseUrl: string;
  readonly db: Db;
  readonly system: SystemDb;
  readonly client: Client;
  readonly config: Config;
  /** What happens before a customer's payment is authorised, by customer. */
  readonly beforePayment: Map<string, () => Promise<void>>;
  /** Customers whose refunds fail, and cities to which shipments fail, until they are removed from the set. */
  readonly troubled: { readonly customers: Set<string>; readonly cities: Set<string> };
  /** A customer with an active user, whose token is `as`. */
  customer(): Promise<{ customerId: string; as: { role: 'user'; sub: string } }>;
  /** Places an order for a new customer unless it names one. */
  place(order?: {
    customerId?: string;
    sku?: string;
    quantity?: number;
    city?: string;
    country?: string;
  }): Promise<string>;
  /**
   * Places an order that can't be undone until it is healed: it is refused after the payment, which can't be paid back.
   */
  parkUndo(): Promise<{ id: string; heal: () => void }>;
  /** Places an order whose shipment has an unknown outcome until its city is healed. */
  parkStep(): Promise<{ id: string; heal: () => void }>;
  status(orderId: string): Promise<string>;
  untilStatus(orderId: string, status: string): Promise<void>;
  untilProcess(processId: string, status: string): Promise<Answer>;
}

/** Starts it all, with one product `MUG` of which there is plenty; on other ports than ours if they are given. */
export async function createOrderWorld(
  scope: Scope,
  { ports = (ours) => ours }: { ports?: (ours: OrderPorts) => OrderPorts } = {},
): Promise<OrderWorld> {
  const troubled = { customers: new Set<string>(), cities: new Set<string>() };
  const beforePayment: OrderWorld['beforePayment'] = new Map();
  const world = await createUserWorld(scope, {
    poolSize: 25,
    settings: { BUS_POLL_MS: '20', COMMAND_TIMEOUT_MS: '20000', BULK_RATE_PER_SECOND: '100' },
    around: ({ payments, shipping, ...others }) => ({
      ...others,
      ...ports({
        payments: around(payments, (ledger) => withTrouble(ledger, { beforePayment, customers: troubled.customers })),
        shipping: around(shipping, (warehouse) => withLateTrucks(warehouse, troubled.cities)),
      }),
    }),
  });
  const { db, client } = world;
  const api = await runApi(world, { ports: ports(defaultPorts(world.config)) });
  await api.ask('PUT', '/products/MUG', { role: 'admin', json: { name: 'Mug', priceMinor: 1_250, currency: 'EUR' } });
  await api.ask('POST', '/products/MUG/stock', { role: 'admin', json: { received: 1_000 } });
  const orders = ordersOf(api, db);
  return {
    api,
    databaseUrl: world.databaseUrl,
    db,
    system: world.system,
    client,
    config: world.config,
    beforePayment,
    troubled,
    ...orders,
    parkUndo: async () => {
      const { customerId } = await orders.customer();
      troubled.customers.add(customerId);
      return {
        id: await orders.place({ customerId, country: REFUSED_COUNTRY }),
        heal: () => {
          troubled.customers.delete(customerId);
        },
      };
    },
    parkStep: async () => {
      const city = randomUUID();
      troubled.cities.add(city);
      return {
        id: await orders.place({ city }),
        heal: () => {
          troubled.cities.delete(city);
        },
      };
    },
  };
}

function ordersOf(
  api: TestApi,
  db: Db,
): Pick<OrderWorld, 'customer' | 'place' | 'status' | 'untilStatus' | 'untilProcess'> {
  const customer = async () => {
    const [sub, customerId, id] = [randomUUID(), randomUUID(), randomUUID()];
    await db.inTenant(TENANT, (tx) =>
      tx.user.create({
        data: {
          tenantId: TENANT,
          id,
          authSubject: sub,
          email: `${sub}@example.com`,
          status: 'active',
          customerId,
          profileCompletionStatus: 'completed',
          syncStatus: 'synced',
        },
      }),
    );
    return { customerId, as: { role: 'user', sub } as const };
  };
  const status = async (orderId: string) =>
    String((await api.ask('GET', `/orders/${orderId}`, service)).body['status']);
  const readProcess = (processId: string) => api.ask('GET', `/processes/${processId}`, operator);
  return {
    customer,
    status,
    place: async ({ customerId, sku = 'MUG', quantity = 1, city = 'Paris', country = 'FR' } = {}) => {
      const { body } = await api.ask('POST', '/orders', {
        ...service,
        json: {
          customerId: customerId ?? (await customer()).customerId,
          items: [{ sku, quantity }],
          currency: 'EUR',
          payment: { method: 'account' },
          shipTo: { name: 'Ada Lovelace', street: 'Rue de Rivoli 1', postalCode: '75001', city, country },
        },
      });
      return z.string().parse(body['id']);
    },
    untilStatus: (orderId, wanted) => untilIs(() => status(orderId), wanted, { what: `order ${orderId} ${wanted}` }),
    untilProcess: async (processId, wanted) => {
      await untilIs(async () => (await readProcess(processId)).body['status'], wanted, {
        what: `process ${processId} ${wanted}`,
      });
      return readProcess(processId);
    },
  };
}

function withTrouble(
  ledger: PaymentPort,
  { beforePayment, customers }: Pick<OrderWorld, 'beforePayment'> & { customers: ReadonlySet<string> },
): PaymentPort {
  return {
    ...ledger,
    authorise: async (request) => {
      for (const { customerId } of request.calls) await beforePayment.get(customerId)?.();
      return ledger.authorise(request);
    },
    refund: async (request) => {
      if (request.calls.some(({ payment }) => customers.has(payment.customerId)))
        throw new StepFailure('bank_away', 'The bank does not answer.');
      return ledger.refund(request);
    },
  };
}

function withLateTrucks(warehouse: ShippingPort, cities: ReadonlySet<string>): ShippingPort {
  return {
    ...warehouse,
    accept: async (request) => {
      if (request.calls.some(({ shipTo }) => cities.has(shipTo?.city ?? '')))
        throw new StepFailure('warehouse_timed_out', 'The warehouse does not answer.');
      return warehouse.accept(request);
    },
  };
}
