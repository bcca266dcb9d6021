import type pg from 'pg';
import { providerIn } from '../../domain/process/definition.ts';
import type { StepResult, StepWork } from '../../domain/process/step-work.ts';
import type { PortCall } from '../../gateways/provider.ts';
import type { ShipmentCall, ShippingAnswer, ShippingPort } from '../../gateways/shipping/shipping-port.ts';
import type { ProviderStep } from '../process/provider-step.ts';
import type { StepRefusal } from '../../domain/orders/codes.ts';
import type { ShippingRefusal } from '../../domain/orders/port-codes.ts';
import { keepShipments } from '../../db/orders/shipments.ts';
import { ordersIn } from './payment-requests.ts';
import { lockStock, moveStock, type GivenLine, type Held } from '../../db/orders/stock.ts';

/** An order to be shipped, and how its stock is held; tried: an earlier attempt may have had it shipped. */
interface OrderToShip extends ShipmentCall, Pick<Held, 'status'> {
  readonly isTried: boolean;
}

/** Has orders shipped, and takes their pieces out of the stock in the transaction that says so. */
export const createShipment: ProviderStep<
  ShippingPort,
  readonly OrderToShip[],
  readonly (ShippingAnswer | null)[],
  ShippingRefusal | StepRefusal
> = {
  read: readOrders,
  call: async (shipping, call, orders) => {
    const answers = await acceptAll(
      shipping,
      call,
      orders.filter(({ status }) => status === 'reserved' || status === 'shipped'),
    );
    return orders.map(({ orderId }) => answers.get(orderId) ?? null);
  },
  record: async (client, works, answers) => {
    await recordShipments(client, works, answers);
    await takeOut(client, {
      ...ordersIn(works),
      orderIds: works.filter((_, place) => answers[place]?.isDone === true).map(({ processId }) => processId),
    });
    return answers.map((answer): StepResult<ShippingRefusal | StepRefusal> => {
      if (answer === null)
        return { isDone: false, code: 'order_undone', message: 'The order was undone before it was shipped.' };
      return answer.isDone ? { isDone: true, result: { shipmentId: answer.shipment.shipmentId } } : answer;
    });
  },
};

/** Calls shipments back and reserves their pieces again; what was never accepted can't be any more. */
export const cancelShipment: ProviderStep<ShippingPort, readonly string[], readonly ShippingAnswer[], ShippingRefusal> =
  {
    read: async (_client, works) => ordersIn(works).orderIds,
    call: (shipping, call, orderIds) => shipping.cancel({ ...call, orderIds }),
    record: async (client, works, answers) => {
      await recordShipments(client, works, answers);
      const { tenantId, orderIds } = ordersIn(works);
      const { held } = await lockStock(client, { tenantId, orderIds });
      const back = orderIds.filter(
        (orderId, place) => answers[place]?.isDone === true && held.get(orderId)?.status === 'shipped',
      );
      await moveStock(client, {
        tenantId,
        orderIds: back,
        status: 'reserved',
        pieces: piecesOf(held, back),
        move: ({ quantity }) => ({ onHand: quantity, reserved: quantity, shipped: -quantity }),
      });
      return answers.map((answer): StepResult<ShippingRefusal> => (answer.isDone ? { isDone: true } : answer));
    },
  };

/** Leaves behind what a shipment would have, for orders that somebody has sent by hand, whoever was to ship them. */
export async function shipByHand(
  client: pg.ClientBase,
  works: readonly StepWork[],
): Promise<readonly StepResult<StepRefusal>[]> {
  const orders = await readOrders(client, works);
  const { tenantId } = ordersIn(works);
  const orderIds = orders
    .filter(({ status }) => status === 'reserved' || status === 'shipped')
    .map(({ orderId }) => orderId);
  await keepShipments(client, {
    tenantId,
    shipments: orderIds.map((orderId) => ({ orderId, status: 'accepted' })),
  });
  await takeOut(client, { tenantId, orderIds });
  return orders.map(({ orderId }): StepResult<StepRefusal> =>
    orderIds.includes(orderId)
      ? { isDone: true }
      : { isDone: false, code: 'order_undone', message: 'The order was undone before it was shipped.' },
  );
}

/** Asks first what became of those that were tried before. */
async function acceptAll(
  shipping: ShippingPort,
  call: PortCall,
  orders: readonly OrderToShip[],
): Promise<ReadonlyMap<string, ShippingAnswer>> {
  const tried = orders.filter(({ isTried }) => isTried).map(({ orderId }) => orderId);
  const known = tried.length === 0 ? [] : [...(await shipping.find({ ...call, orderIds: tried }))];
  const answers = new Map(
    known
      .filter(([, { status }]) => status !== 'cancelled')
      .map(([orderId, shipment]): [string, ShippingAnswer] => [orderId, { isDone: true, shipment }]),
  );
  const unknown = orders.filter(({ orderId }) => !answers.has(orderId));
  if (unknown.length === 0) return answers;
  const accepted = await shipping.accept({
    ...call,
    calls: unknown.map(({ orderId, shipTo }) => ({ orderId, shipTo })),
  });
  accepted.forEach((answer, place) => answers.set(unknown[place]?.orderId ?? '', answer));
  return answers;
}

/** Takes the pieces of orders out of the stock that are still in it. */
export async function takeOut(
  client: pg.ClientBase,
  { tenantId, orderIds, lines }: { tenantId: string; orderIds: readonly string[]; lines?: readonly GivenLine[] },
): Promise<void> {
  if (orderIds.length === 0) return;
  const { held } = await lockStock(client, { tenantId, orderIds, lines });
  const reserved = orderIds.filter((orderId) => held.get(orderId)?.status === 'reserved');
  await moveStock(client, {
    tenantId,
    orderIds: reserved,
    status: 'shipped',
    pieces: piecesOf(held, reserved),
    move: ({ quantity }) => ({ onHand: -quantity, reserved: -quantity, shipped: quantity }),
  });
}

/** Keeps the shipments of providers that keep none with us, where a delivery looks for them. */
export async function recordShipments(
  client: pg.ClientBase,
  works: readonly StepWork[],
  answers: readonly (ShippingAnswer | null)[],
): Promise<void> {
  const remote = works.flatMap(({ processId, data }, place) => {
    const answer = answers[place];
    return answer?.isDone === true && providerIn(data, 'shipping')?.isRemote === true
      ? [{ orderId: processId, status: answer.shipment.status }]
      : [];
  });
  if (remote.length > 0) await keepShipments(client, { ...ordersIn(works), shipments: remote });
}

async function readOrders(client: pg.ClientBase, works: readonly StepWork[]): Promise<readonly OrderToShip[]> {
  const { tenantId, orderIds } = ordersIn(works);
  const { rows } = await client.query<ShipmentCall & Pick<Held, 'status'>>({
    name: 'shipment-calls',
    values: [tenantId, orderIds],
    text: `SELECT o.id::text AS "orderId", o.ship_to AS "shipTo", r.status::text
      FROM orders AS o LEFT JOIN reservations AS r ON r.tenant_id = $1 AND r.order_id = o.id
      WHERE o.tenant_id = $1 AND o.id = ANY($2::uuid[])`,
  });
  const orders = new Map(rows.map((row) => [row.orderId, row]));
  return works.map(({ processId, attempts }) => {
    const order = orders.get(processId);
    if (order === undefined) throw new Error('a process has no order');
    return { ...order, isTried: attempts > 0 };
  });
}

function piecesOf(held: ReadonlyMap<string, Held>, orderIds: readonly string[]): Held['pieces'] {
  return orderIds.flatMap((orderId) => held.get(orderId)?.pieces ?? []);
}
