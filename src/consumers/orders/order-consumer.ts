import { SpanKind } from '@opentelemetry/api';
import type pg from 'pg';
import { z } from 'zod';
import { ORDER_MESSAGES, type OrderService } from '../../domain/orders/choreographed-order.ts';
import type { ChoreographyCause } from '../../domain/orders/codes.ts';
import { isTenantName } from '../../domain/shared/tenant.ts';
import { orderEvent, orderMessage, timesAsked, type OrderEvent, type Said } from '../../events/order-messages.ts';
import { PoisonError, type BusMessage, type SubscribeOptions } from '../../messaging/bus.ts';
import { firstTimes } from '../../messaging/inbox.ts';
import { lockStreams } from '../../messaging/log/lock-streams.ts';
import { enqueueMessages } from '../../messaging/outbox/message-outbox.ts';
import type { Db } from '../../postgres/client.ts';
import { rawTransaction } from '../../postgres/transaction.ts';
import { inSpan } from '../../telemetry/trace-context.ts';

/** A message as a service hears it. */
export interface Heard {
  readonly tenantId: string;
  readonly orderId: string;
  readonly event: OrderEvent;
}

/** What is written of a message in the one transaction of it, and said then. */
export type Take = (client: pg.ClientBase) => Promise<readonly Said[]>;

/**
 * Calls what leaves the process, if anything does, then answers what is to be done in the transaction; null: it is not
 * for this service.
 */
export type React = (heard: Heard) => Promise<Take | null>;

/**
 * A service of choreographed orders. Each message is one transaction: that it was heard, its effect, and what is said
 * then. The lock on the order's stream makes those of one order follow one another, whoever's they are.
 */
export function orderConsumer({
  db,
  service,
  topics,
  react,
}: {
  readonly db: Pick<Db, 'pool'>;
  readonly service: OrderService;
  readonly topics: readonly OrderService[];
  readonly react: React;
}): SubscribeOptions {
  return {
    group: service,
    topics,
    handle: async (message) => {
      const event = read(message);
      const { tenantId } = message;
      const orderId = event.correlationid;
      await inSpan(`process ${event.type}`, spanOf(service, message, event), async () => {
        const take = await react({ tenantId, orderId, event });
        if (take === null) return;
        await rawTransaction(db.pool, tenantId, async (client) => {
          await lockStreams(client, [orderId]);
          const heard = { tenantId, consumer: service, messageIds: [`${event.source} ${event.id}`] };
          if ((await firstTimes(client, heard)).size === 0) return;
          const said = await take(client);
          // The answer to what was asked again is another message; what follows from it for the first time is not.
          const times = service === 'order' ? 1 : timesAsked(event.id);
          const from = { tenantId, orderId, source: service, causationId: event.id, times, at: new Date() };
          await enqueueMessages(
            client,
            said.map((each) => orderMessage(each, from)),
          );
        });
      });
    },
  };
}

function read(message: BusMessage): OrderEvent {
  const event = orderEvent.safeParse(parse(message.payload));
  if (!event.success) throw malformed(z.prettifyError(event.error));
  const { type, correlationid, data, tenantid } = event.data;
  if (ORDER_MESSAGES[type] !== message.topic) throw malformed(`A ${type} came by the topic ${message.topic}.`);
  if (correlationid !== data.orderId) throw malformed('It is about another order than it is correlated with.');
  if (!isTenantName(message.tenantId)) throw malformed('It names no tenant.');
  if (tenantid !== undefined && tenantid !== message.tenantId)
    throw malformed('It names another tenant than the message that brought it.');
  return event.data;
}

function parse(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    throw malformed('The payload is not JSON.');
  }
}

function malformed(detail: string): PoisonError {
  return new PoisonError<ChoreographyCause>('malformed_message', detail);
}

function spanOf(service: OrderService, { messageId, topic, traceparent }: BusMessage, event: OrderEvent) {
  return {
    kind: SpanKind.CONSUMER,
    parent: event.traceparent ?? traceparent,
    attributes: {
      'messaging.destination.name': topic,
      'messaging.consumer.group.name': service,
      'messaging.message.id': messageId,
      'order.id': event.correlationid,
    },
  };
}
