import type pg from 'pg';
import type { StepResult, StepWork } from '../../domain/process/step-work.ts';
import type { Books } from '../../gateways/payment/payment-port.ts';
import type { ShipmentCall, ShippingAnswer, ShippingPort } from '../../gateways/shipping/shipping-port.ts';
import { lockStock, moveStock, type Held } from '../../db/orders/stock.ts';
import type { StepRefusal } from '../../domain/orders/codes.ts';
import type { ShippingRefusal } from '../../domain/orders/port-codes.ts';

/** Has orders shipped, and takes their pieces out of the stock in the transaction that says so. */
export async function createShipment(
  shipping: ShippingPort,
  client: pg.ClientBase,
  works: readonly StepWork[],
): Promise<readonly StepResult<ShippingRefusal | StepRefusal>[]> {
  const [first] = works;
  if (first === undefined) return [];
  const books: Books = { books: client, tenantId: first.tenantId };
  const calls = await shipmentCalls(
    books,
    works.map(({ processId }) => processId),
  );
  const answers = await acceptAll(
    shipping,
    books,
    works.flatMap(({ processId, attempts }) => {
      const call = calls.get(processId);
      return call?.status === 'reserved' || call?.status === 'shipped' ? [{ ...call, attempts }] : [];
    }),
  );
  // Locked only now: whoever wants the same products need not wait for the warehouse.
  await takeOut(
    books,
    works
      .map(({ processId }) => processId)
      .filter((orderId) => answers.get(orderId)?.isDone === true && calls.get(orderId)?.status === 'reserved'),
  );
  return works.map(({ processId }): StepResult<ShippingRefusal | StepRefusal> => {
    const answer = answers.get(processId);
    if (answer === undefined)
      return { isDone: false, code: 'order_undone', message: 'The order was undone before it was shipped.' };
    return answer.isDone ? { isDone: true, result: { shipmentId: answer.shipment.shipmentId } } : answer;
  });
}

/** Calls shipments back and reserves their pieces again; what was never accepted can't be any more. */
export async function cancelShipment(
  shipping: ShippingPort,
  client: pg.ClientBase,
  works: readonly StepWork[],
): Promise<readonly StepResult<ShippingRefusal>[]> {
  const [first] = works;
  if (first === undefined) return [];
  const books: Books = { books: client, tenantId: first.tenantId };
  const orderIds = works.map(({ processId }) => processId);
  const answers = await shipping.cancel({ ...books, orderIds });
  const { held } = await lockStock(client, { ...books, orderIds });
  const back = orderIds.filter(
    (orderId, place) => answers[place]?.isDone === true && held.get(orderId)?.status === 'shipped',
  );
  await moveStock(client, {
    tenantId: first.tenantId,
    orderIds: back,
    status: 'reserved',
    pieces: piecesOf(held, back),
    move: ({ quantity }) => ({ onHand: quantity, reserved: quantity, shipped: -quantity }),
  });
  return answers.map((answer): StepResult<ShippingRefusal> => (answer.isDone ? { isDone: true } : answer));
}

/** Asks first what became of those that were tried before. */
async function acceptAll(
  shipping: ShippingPort,
  books: Books,
  calls: readonly (ShipmentCall & Pick<StepWork, 'attempts'>)[],
): Promise<ReadonlyMap<string, ShippingAnswer>> {
  const repeated = calls.filter(({ attempts }) => attempts > 0).map(({ orderId }) => orderId);
  const known = repeated.length === 0 ? [] : [...(await shipping.find({ ...books, orderIds: repeated }))];
  const answers = new Map(
    known
      .filter(([, { status }]) => status !== 'cancelled')
      .map(([orderId, shipment]): [string, ShippingAnswer] => [orderId, { isDone: true, shipment }]),
  );
  const unknown = calls.filter(({ orderId }) => !answers.has(orderId));
  if (unknown.length === 0) return answers;
  const accepted = await shipping.accept({
    ...books,
    calls: unknown.map(({ orderId, shipTo }) => ({ orderId, shipTo })),
  });
  accepted.forEach((answer, place) => answers.set(unknown[place]?.orderId ?? '', answer));
  return answers;
}

async function takeOut({ books, tenantId }: Books, orderIds: readonly string[]): Promise<void> {
  if (orderIds.length === 0) return;
  const { held } = await lockStock(books, { tenantId, orderIds });
  await moveStock(books, {
    tenantId,
    orderIds,
    status: 'shipped',
    pieces: piecesOf(held, orderIds),
    move: ({ quantity }) => ({ onHand: -quantity, reserved: -quantity, shipped: quantity }),
  });
}

async function shipmentCalls(
  { books, tenantId }: Books,
  orderIds: readonly string[],
): Promise<Map<string, ShipmentCall & Pick<Held, 'status'>>> {
  const { rows } = await books.query<ShipmentCall & Pick<Held, 'status'>>({
    name: 'shipment-calls',
    values: [tenantId, orderIds],
    text: `SELECT o.id::text AS "orderId", o.ship_to AS "shipTo", r.status::text
      FROM orders AS o LEFT JOIN reservations AS r ON r.tenant_id = $1 AND r.order_id = o.id
      WHERE o.tenant_id = $1 AND o.id = ANY($2::uuid[])`,
  });
  return new Map(rows.map((row) => [row.orderId, row]));
}

function piecesOf(held: ReadonlyMap<string, Held>, orderIds: readonly string[]): Held['pieces'] {
  return orderIds.flatMap((orderId) => held.get(orderId)?.pieces ?? []);
}
