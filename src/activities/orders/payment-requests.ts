import type pg from 'pg';
import type { StepWork } from '../../domain/process/step-work.ts';
import type { PaymentRequest } from '../../gateways/payment/payment-port.ts';

/** The orders whose processes these are. */
export function ordersIn(works: readonly StepWork[]): { tenantId: string; orderIds: readonly string[] } {
  const [first] = works;
  if (first === undefined) throw new Error('a step is taken for nobody');
  return { tenantId: first.tenantId, orderIds: works.map(({ processId }) => processId) };
}

/** The payments of validated orders, in the order of the ids. */
export async function paymentRequests(
  client: pg.ClientBase,
  { tenantId, orderIds }: { tenantId: string; orderIds: readonly string[] },
): Promise<readonly PaymentRequest[]> {
  const { rows } = await client.query<Omit<PaymentRequest, 'key' | 'amountMinor'> & { amountMinor: number | null }>({
    name: 'payment-requests',
    // A sum is below 2^53, where a double is exact.
    text: `SELECT id::text AS "orderId", customer_id AS "customerId", currency, total_minor::float8 AS "amountMinor",
      payment->>'method' AS method
      FROM orders WHERE tenant_id = $1 AND id = ANY($2::uuid[])`,
    values: [tenantId, orderIds],
  });
  const orders = new Map(rows.map((row) => [row.orderId, row]));
  return orderIds.map((orderId) => {
    const order = orders.get(orderId);
    if (order === undefined || order.amountMinor === null)
      throw new Error('an order is to be paid that was not validated');
    return { ...order, amountMinor: order.amountMinor, key: `order:${orderId}:authorise` };
  });
}
