import { z } from 'zod';
import { deliverOrder } from '../../db/orders/deliver-order.ts';
import type { DeliveryOutcome } from '../../domain/orders/order-process.ts';
import { findProcess } from '../../db/processes/process-list.ts';
import { orderAnswer, orderSchema } from './order.schemas.ts';
import { requireOrder } from './orders.ts';
import { Problem } from '../http/problem.ts';
import { commandProcess, commandReason, requireOpenProcess } from '../processes/process-commands.ts';
import { route, type Call, type Route } from '../http/route.ts';
import { id } from '../http/values.ts';

const params = z.object({ id });

const cancel = route(
  {
    method: 'post',
    path: '/orders/:id/cancel',
    operationId: 'cancelOrder',
    tag: 'Orders',
    roles: ['user', 'service', 'operator', 'admin'],
    scope: 'orders:write',
    summary: 'Cancels an order that the warehouse has not accepted yet; what was done is undone',
    params,
    body: z.strictObject({ reason: commandReason.optional() }).default({}),
    statuses: { 202: 'The order as it is now; it is cancelled when everything is undone' },
    answer: orderSchema,
    idempotent: true,
    errors: [
      'order_not_found',
      'past_point_of_no_return',
      'process_turned_back',
      'process_closed',
      'command_timeout',
      'workflow_busy',
      'temporal_unavailable',
    ],
  },
  async (call) => {
    const {
      deps,
      caller: { tenantId, subject },
      self,
      params: { id: processId },
      body: { reason },
    } = call;
    const by = self === undefined ? subject : `user ${self.id}`; // our id: a customer's subject is personal data
    await requireOrder(call, processId);
    const open = await requireOpenProcess(deps, { tenantId, processId });
    await commandProcess(call, open, {
      command: 'cancel',
      payload: { by, ...(reason === undefined ? {} : { reason }) },
    });
    return { status: 202, body: orderAnswer(await requireOrder(call, processId)) };
  },
);

const deliver = route(
  {
    method: 'post',
    path: '/orders/:id/delivery',
    operationId: 'deliverOrder',
    tag: 'Orders',
    roles: ['service', 'operator', 'admin'],
    scope: 'orders:deliver',
    summary: 'Says that the order has reached its customer; told before it is shipped, it is kept',
    params,
    idempotent: true,
    statuses: { 202: 'The order as it is now; its process will be told' },
    answer: orderSchema,
    errors: ['order_not_found', 'shipment_not_found', 'delivery_known'],
  },
  async (call) => ({ status: 202, body: await tellOutcome(call, 'delivered') }),
);

function endWithout(outcome: 'lost' | 'returned', summary: string): Route {
  return route(
    {
      method: 'post',
      path: `/orders/:id/${outcome}`,
      operationId: `${outcome}Order`,
      tag: 'Orders',
      roles: ['operator', 'admin'],
      summary,
      params,
      idempotent: true,
      statuses: { 202: 'The order as it is now; its process will be told' },
      answer: orderSchema,
      errors: ['order_not_found', 'shipment_not_found', 'delivery_known'],
    },
    async (call) => ({ status: 202, body: await tellOutcome(call, outcome) }),
  );
}

/** Writes what became of the order's shipment, and answers the order. */
async function tellOutcome(
  call: Pick<Call, 'deps' | 'caller' | 'self'> & { readonly params: { readonly id: string } },
  outcome: DeliveryOutcome,
): Promise<z.input<typeof orderSchema>> {
  const {
    deps,
    caller: { tenantId },
    params: { id: processId },
  } = call;
  const found = await deps.db.inTenant(tenantId, (tx) => findProcess(tx, { tenantId, processId }));
  const order = await requireOrder(call, processId);
  const told = found === null ? 'not_shipped' : await deliverOrder(deps.db.pool, { ...found, outcome });
  if (told === 'not_shipped') throw new Problem('shipment_not_found');
  if (told === 'known') throw new Problem('delivery_known');
  deps.wakeOutboxRelay();
  return orderAnswer(order);
}

/** What customers and the warehouse say about an order. */
export const orderCommandRoutes: readonly Route[] = [
  cancel,
  deliver,
  endWithout('lost', 'Says that the shipment will not arrive; the order is over, and can be refunded'),
  endWithout('returned', 'Says that the shipment came back; the order is over, and can be refunded'),
];
