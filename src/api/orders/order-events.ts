import { z } from 'zod';
import type { NextEvent } from '../../db/processes/process-list.ts';
import { orderRefusalOf } from '../../domain/orders/order-status.ts';
import { isClosingEvent } from '../../domain/process/events.ts';
import { isClosed } from '../../domain/process/statuses.ts';
import { orderEventSchema } from './order.schemas.ts';
import { requireOrder } from './orders.ts';
import { processCause } from '../processes/process.schemas.ts';
import { Problem } from '../http/problem.ts';
import { route, type Route } from '../http/route.ts';
import { id } from '../http/values.ts';

const withCause = z
  .object({ cause: processCause })
  .transform(({ cause }) => cause)
  .catch({ code: '', message: '', class: 'unknown' });

const follow = route(
  {
    method: 'get',
    path: '/orders/:id/events',
    operationId: 'followOrder',
    tag: 'Orders',
    roles: ['user', 'service', 'operator', 'admin'],
    summary: 'Follows what happens to an order',
    isStream: true,
    params: z.object({ id }),
    answer: orderEventSchema,
    description:
      'Server-sent events: first all behind `Last-Event-ID`, then each as it happens, ' +
      'until the order is over or a quarter of an hour has passed. ' +
      'The data of each is JSON as below, its id the `sequence`.',
    statuses: { 200: 'The events', 204: 'There are no more and there will be none' },
    errors: ['order_not_found', 'too_many_streams', 'streams_exhausted'],
  },
  async (call) => {
    const {
      deps: { events },
      caller: { tenantId, role, subject },
      params: { id: processId },
      lastEventId,
    } = call;
    const order = await requireOrder(call, processId);
    // One who claims to have heard what has not happened, as before a restore, hears what happens from now on.
    const after = Math.min(lastEventId, order.sequence);
    if (isClosed(order.status) && after === order.sequence) return { status: 204 };
    const owner = role === 'user' ? `${tenantId} ${subject}` : null;
    const refused = events.refuses(owner);
    if (refused !== null) throw new Problem(refused);
    return {
      status: 200,
      stream: (response) => events.follow(response, { tenantId, processId, after, owner, render }),
    };
  },
);

function render({ sequence, at, type, step, detail }: NextEvent): {
  data: z.input<typeof orderEventSchema>;
  isLast: boolean;
} {
  return {
    data: { sequence, at: at.toISOString(), type, step, refusal: orderRefusalOf(withCause.parse(detail)) },
    isLast: isClosingEvent(type),
  };
}

/** The live timeline of an order. */
export const orderEventRoutes: readonly Route[] = [follow];
