import { z } from 'zod';
import {
  PAYMENT_REFUSALS,
  SHIPPING_REFUSALS,
  type PaymentRefusal,
  type ShippingRefusal,
} from '../../src/domain/orders/port-codes.ts';
import { StepFailure } from '../../src/domain/process/step-work.ts';
import type { PaymentPort } from '../../src/gateways/payment/payment-port.ts';
import type { PortCall } from '../../src/gateways/provider.ts';
import type { ShippingPort } from '../../src/gateways/shipping/shipping-port.ts';

/** Longest time that one call is waited for. */
const PATIENCE_MS = 2_000;

export const payment = z.object({
  key: z.string(),
  status: z.enum(['authorised', 'captured', 'voided', 'refunded', 'declined']),
  amountMinor: z.number(),
  refundedMinor: z.number(),
});
const refusal = { isDone: z.literal(false), message: z.string() };
const paymentAnswers = z.array(
  z.discriminatedUnion('isDone', [
    z.object({ isDone: z.literal(true), payment }),
    z.object({
      ...refusal,
      code: z.custom<PaymentRefusal>((code) => typeof code === 'string' && code in PAYMENT_REFUSALS),
    }),
  ]),
);
const shipment = z.object({ shipmentId: z.string(), status: z.enum(['accepted', 'cancelled', 'delivered']) });
const shippingAnswers = z.array(
  z.discriminatedUnion('isDone', [
    z.object({ isDone: z.literal(true), shipment }),
    z.object({
      ...refusal,
      code: z.custom<ShippingRefusal>((code) => typeof code === 'string' && code in SHIPPING_REFUSALS),
    }),
  ]),
);

/** The ports of a bank and a carrier that are reached over HTTP; what gets no answer may have taken effect. */
export function remotePorts(url: string): { readonly bank: PaymentPort; readonly carrier: ShippingPort } {
  const ask =
    <Answer>(name: string, answer: z.ZodType<Answer>, timedOut: string) =>
    async ({ signal, ...body }: PortCall & object): Promise<Answer> => {
      const signals = [AbortSignal.timeout(PATIENCE_MS), ...(signal === undefined ? [] : [signal])];
      const request = { method: 'POST', body: JSON.stringify(body), signal: AbortSignal.any(signals) };
      const response = await fetch(`${url}/${name}`, request).catch((error: unknown) => {
        throw new StepFailure(timedOut, 'No answer in time.', { cause: error });
      });
      if (!response.ok) throw new StepFailure('provider_error', await response.text());
      return answer.parse(await response.json());
    };
  const pay = <Answer>(name: string, answer: z.ZodType<Answer>) => ask(`payments/${name}`, answer, 'payment_timed_out');
  const ship = <Answer>(name: string, answer: z.ZodType<Answer>) =>
    ask(`shipments/${name}`, answer, 'warehouse_timed_out');
  return {
    bank: {
      authorise: pay('authorise', paymentAnswers),
      capture: pay('capture', paymentAnswers),
      void: pay('void', paymentAnswers),
      refund: pay('refund', paymentAnswers),
      find: async (request) => new Map(await pay('find', z.array(z.tuple([z.string(), payment])))(request)),
      findRefunds: async (request) => new Set(await pay('findRefunds', z.array(z.string()))(request)),
    },
    carrier: {
      accept: ship('accept', shippingAnswers),
      cancel: ship('cancel', shippingAnswers),
      find: async (request) => new Map(await ship('find', z.array(z.tuple([z.string(), shipment])))(request)),
    },
  };
}
