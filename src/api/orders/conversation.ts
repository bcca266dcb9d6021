import type { z } from 'zod';
import { readConversation } from '../../db/orders/choreography.ts';
import type { OrderRow } from '../../db/orders/order-list.ts';
import type { Call } from '../http/route.ts';
import type { orderSchema } from './order.schemas.ts';

/** What the services of a choreographed order say of it, for its answer; no field for any other. */
export async function conversationField(
  { deps: { db }, caller: { tenantId } }: Pick<Call, 'deps' | 'caller'>,
  order: OrderRow,
): Promise<Pick<z.input<typeof orderSchema>, 'conversation'>> {
  if (order.mode !== 'choreography') return {};
  const { awaiting, deadLetters } = await readConversation(db.pool, { tenantId, orderId: order.id });
  return {
    conversation: {
      awaiting:
        awaiting === null
          ? null
          : { ...awaiting, since: awaiting.since.toISOString(), dueAt: awaiting.dueAt?.toISOString() ?? null },
      deadLetters: deadLetters.map(({ parkedAt, ...letter }) => ({ ...letter, parkedAt: parkedAt.toISOString() })),
    },
  };
}
