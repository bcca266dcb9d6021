import { stalledOrders } from '../../db/orders/choreography.ts';
import type { Check } from '../check.ts';

/** Choreographed orders wait too long for an answer or their delivery, by tenant and who should answer. */
export const orderStalled: Check = {
  kind: 'order_stalled',
  run: async ({ system }) => {
    const stalled = await stalledOrders(system);
    return stalled.map(({ tenantId, service, orders, oldest: { orderId, asked, askedAt } }) => ({
      tenantId,
      key: service,
      severity: 'warning',
      summary: `${service} has not been heard in time of ${orders} choreographed order(s).`,
      details: { service, orders, oldestOrderId: orderId, lastMessage: asked, askedAt },
    }));
  },
};
