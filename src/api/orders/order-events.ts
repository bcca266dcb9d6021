import type { Writable } from 'node:stream';
import { z } from 'zod';
import type { NextEvent } from '../../db/processes/process-list.ts';
import { orderRefusalOf } from '../../domain/orders/order-status.ts';
import { isClosingEvent } from '../../domain/process/events.ts';
import { isClosed } from '../../domain/process/statuses.ts';
import { orderEventSchema } from './order.schemas.ts';
import { requireOrder } from './orders.ts';
import { processCause } from '../processes/process.schemas.ts';
import type { Follower } from '../../realtime/event-feed.ts';
import { STREAM_ENDS, type StreamEnd } from '../../realtime/reader-watch.ts';
import { ERRORS } from '../http/error-catalogue.ts';
import { Problem } from '../http/problem.ts';
import { route, type Route } from '../http/route.ts';
import { id } from '../http/values.ts';

/** How long one who finds no place waits before it asks again, in seconds. */
const RETRY_AFTER_S = 5;

const streamEndSchema = z
  .strictObject({
    code: z.enum(STREAM_ENDS).meta({ description: 'What whoever asks again is answered' }),
    detail: z.string(),
    retryable: z.boolean(),
  })
  .meta({ id: 'StreamEnd', description: 'The data of the event `end`: why a stream ends before the order' });

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
    scope: 'orders:read',
    summary: 'Follows what happens to an order',
    isStream: true,
    params: z.object({ id }),
    answer: z.union([orderEventSchema, streamEndSchema]),
    description:
      'Server-sent events: first all behind `Last-Event-ID`, then each as it happens, ' +
      'until the order is over or a quarter of an hour has passed. ' +
      'The data of each is JSON as below, its id the `sequence`. ' +
      'When its reader may follow no longer, the stream ends with an event `end` without id, whose `code` is what ' +
      'whoever asks again is answered; unless it is `retryable`, a client closes its `EventSource` then.',
    statuses: { 200: 'The events', 204: 'There are no more and there will be none' },
    errors: ['order_not_found', 'too_many_streams', 'tenant_streams_exhausted', 'streams_exhausted'],
  },
  async (call) => {
    const { deps, caller, self, expiresAtMs, params, lastEventId } = call;
    const { tenantId, role } = caller;
    const order = await requireOrder(call, params.id);
    // One who claims to have heard what has not happened, as before a restore, hears what happens from now on.
    const after = Math.min(lastEventId, order.sequence);
    if (isClosed(order.status) && after === order.sequence) return { status: 204 };
    const follower: Follower = {
      tenantId,
      processId: params.id,
      after,
      owner: caller,
      reader: { userId: role === 'user' ? (self?.id ?? null) : null, expiresAtMs },
      render,
      renderEnd,
    };
    const stream = (response: Writable): void => {
      const refused = deps.events.follow(response, follower);
      if (refused !== null) throw new Problem(refused, { retryAfterSeconds: RETRY_AFTER_S });
    };
    return { status: 200, stream };
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

function renderEnd(code: StreamEnd): z.input<typeof streamEndSchema> {
  const { detail, retryable } = ERRORS[code];
  return { code, detail, retryable };
}

/** The live timeline of an order. */
export const orderEventRoutes: readonly Route[] = [follow];
