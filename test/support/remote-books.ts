import { randomUUID } from 'node:crypto';
import { PAYMENT_REFUSALS, type PaymentRefusal } from '../../src/domain/orders/port-codes.ts';
import type {
  Payment,
  PaymentAnswer,
  PaymentCall,
  PaymentRequest,
  RefundCall,
} from '../../src/gateways/payment/payment-port.ts';
import type { Shipment, ShipmentCall, ShippingAnswer } from '../../src/gateways/shipping/shipping-port.ts';

type BankPayment = Payment & Pick<PaymentRequest, 'orderId' | 'customerId'>;

/** A bank's books in memory: what it did under which key, each once, and nothing for a key that comes too late. */
export function createBank({ limitMinor }: { limitMinor: number }) {
  const payments = new Map<string, BankPayment>();
  /** Keys of what moved money, by order, in their order. */
  const movements = new Map<string, string[]>();
  const refunds = new Set<string>();

  const write = ({ key, orderId, customerId, amountMinor }: PaymentRequest, change: Partial<Payment>): Payment => {
    const before = payments.get(key) ?? { key, orderId, customerId, amountMinor, refundedMinor: 0, status: 'voided' };
    if (before.amountMinor !== amountMinor) throw new Error(`key ${key} was used for another payment`);
    const after = { ...before, ...change };
    payments.set(key, after);
    return after;
  };
  const move = (orderId: string, key: string): void => {
    movements.set(orderId, [...(movements.get(orderId) ?? []), key]);
  };
  const done = (payment: Payment): PaymentAnswer => ({ isDone: true, payment });
  const refused = (code: PaymentRefusal): PaymentAnswer => ({
    isDone: false,
    code,
    message: PAYMENT_REFUSALS[code].detail,
  });

  return {
    payments,
    movements,
    authorise: (request: PaymentRequest): PaymentAnswer => {
      const known = payments.get(request.key);
      if (known?.status === 'voided') return refused('payment_voided');
      if (known?.status === 'refunded') return refused('payment_refunded');
      if (known?.status === 'declined') return refused('payment_declined');
      if (known !== undefined) return done(write(request, {}));
      const owed = [...payments.values()]
        .filter(({ customerId, status }) => customerId === request.customerId && OWED.has(status))
        .reduce((sum, { amountMinor, refundedMinor }) => sum + amountMinor - refundedMinor, 0);
      if (owed + request.amountMinor > limitMinor) {
        write(request, { status: 'declined' });
        return refused('payment_declined');
      }
      move(request.orderId, request.key);
      return done(write(request, { status: 'authorised' }));
    },
    capture: ({ key, payment }: PaymentCall): PaymentAnswer => {
      const known = payments.get(payment.key);
      if (known?.status === 'captured') return done(known);
      if (known?.status !== 'authorised')
        return refused(known?.status === 'voided' ? 'payment_voided' : 'payment_not_authorised');
      move(payment.orderId, key);
      return done(write(payment, { status: 'captured' }));
    },
    void: ({ key, payment }: PaymentCall): PaymentAnswer => {
      const known = payments.get(payment.key);
      if (known?.status === 'captured') return refused('payment_captured');
      if (known?.status === 'authorised') move(payment.orderId, key);
      return done(known?.status === 'declined' ? known : write(payment, { status: 'voided' }));
    },
    refund: ({ key, payment, amountMinor }: RefundCall): PaymentAnswer => {
      const known = payments.get(payment.key);
      if (known !== undefined && refunds.has(key)) return done(known);
      if (known?.status !== 'captured') return refused('payment_not_captured');
      const refundedMinor = known.refundedMinor + amountMinor;
      if (refundedMinor > known.amountMinor) return refused('refund_exceeds_payment');
      refunds.add(key);
      move(payment.orderId, key);
      return done(
        write(payment, { refundedMinor, status: refundedMinor === known.amountMinor ? 'refunded' : 'captured' }),
      );
    },
    find: (keys: readonly string[]): [string, Payment][] =>
      keys.flatMap((key): [string, Payment][] => {
        const known = payments.get(key);
        return known === undefined ? [] : [[key, known]];
      }),
    findRefunds: (keys: readonly string[]): string[] => keys.filter((key) => refunds.has(key)),
  };
}

const OWED: ReadonlySet<string> = new Set(['authorised', 'captured'] satisfies Payment['status'][]);

/** A carrier's books in memory; an order is accepted once. */
export function createCarrier({ countries }: { countries: readonly string[] }) {
  const shipments = new Map<string, Shipment>();
  const keep = (orderId: string, status: Shipment['status']): ShippingAnswer => {
    const shipment = { shipmentId: shipments.get(orderId)?.shipmentId ?? `parcel ${randomUUID()}`, status };
    shipments.set(orderId, shipment);
    return { isDone: true, shipment };
  };
  return {
    shipments,
    accept: ({ orderId, shipTo }: ShipmentCall): ShippingAnswer => {
      const known = shipments.get(orderId);
      if (known?.status === 'cancelled') return { isDone: false, code: 'shipment_cancelled', message: 'Called back.' };
      if (known !== undefined) return { isDone: true, shipment: known };
      return shipTo !== null && countries.includes(shipTo.country)
        ? keep(orderId, 'accepted')
        : { isDone: false, code: 'invalid_address', message: 'The carrier does not go there.' };
    },
    cancel: (orderId: string): ShippingAnswer => keep(orderId, 'cancelled'),
    find: (orderIds: readonly string[]): [string, Shipment][] =>
      orderIds.flatMap((orderId): [string, Shipment][] => {
        const known = shipments.get(orderId);
        return known === undefined ? [] : [[orderId, known]];
      }),
  };
}
