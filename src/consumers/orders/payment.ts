import { returnPayment, takePayment } from '../../activities/orders/take-payment.ts';
import type { OrderEventOf } from '../../events/order-messages.ts';
import type { PaymentPort, PaymentRequest } from '../../gateways/payment/payment-port.ts';
import type { Bindings } from '../../gateways/provider.ts';
import type { SubscribeOptions } from '../../messaging/bus.ts';
import type { Db } from '../../postgres/client.ts';
import { orderConsumer } from './order-consumer.ts';
import { callProvider } from './call-provider.ts';

/** What the service `payment` is built from. */
export interface PaymentServiceDeps {
  readonly db: Pick<Db, 'pool'>;
  readonly payments: Bindings<PaymentPort>;
}

/** The service `payment`: takes the payments of orders, and gives them back. */
export function paymentService({ db, payments }: PaymentServiceDeps): SubscribeOptions {
  return orderConsumer({
    db,
    service: 'payment',
    topics: ['payment'],
    react: async ({ tenantId, orderId, event }) => {
      switch (event.type) {
        case 'ProcessPayment': {
          const { provider } = event.data;
          // Who keeps its own books is asked first what became of an earlier attempt: nobody counts those.
          const toTake = [{ request: requestOf(event), isTried: provider.isRemote }];
          const taken = await callProvider({ bindings: payments, provider, tenantId }, (port, call) =>
            takePayment.call(port, call, toTake),
          );
          return async (client) => {
            const [answer] = await taken(client);
            if (answer === undefined) throw new Error('a payment was neither taken nor refused');
            return answer.isDone
              ? [{ type: 'PaymentProcessed', data: { orderId, paymentId: answer.payment.key } }]
              : [{ type: 'PaymentFailed', data: { orderId, code: answer.code, message: answer.message } }];
          };
        }
        case 'RefundPayment': {
          const { provider } = event.data;
          const returned = await callProvider({ bindings: payments, provider, tenantId }, (port, call) =>
            returnPayment.call(port, call, [requestOf(event)]),
          );
          return async (client) => {
            await returned(client);
            return [{ type: 'PaymentRefunded', data: { orderId } }];
          };
        }
        default:
          return null;
      }
    },
  });
}

function requestOf({
  data: { orderId, customerId, amountMinor, currency, method },
}: OrderEventOf<'ProcessPayment' | 'RefundPayment'>): PaymentRequest {
  return { key: `order:${orderId}:authorise`, orderId, customerId, amountMinor, currency, method };
}
