import { StepFailure } from '../../src/domain/process/step-work.ts';
import type { OrderPorts } from '../../src/gateways/default-ports.ts';
import type { PaymentPort } from '../../src/gateways/payment/payment-port.ts';
import type { Binding, Bindings } from '../../src/gateways/provider.ts';
import type { ShippingPort } from '../../src/gateways/shipping/shipping-port.ts';
import { createBank, createCarrier } from './remote-books.ts';

export const FAULTY_CALLS = ['authorise', 'capture', 'void', 'refund', 'find', 'accept', 'cancel'] as const;

/** What goes wrong with each call of a name: it never arrives, or its answer gets lost. */
export interface Fault {
  readonly call: (typeof FAULTY_CALLS)[number];
  readonly when: 'before' | 'after';
  /** Whether whoever calls is told that it may have taken effect. */
  readonly isUnknown: boolean;
}

/** The faults of customers' calls, until they are removed. */
export type Faults = Map<string, readonly Fault[]>;

/** Providers whose calls go wrong for some customers. */
export function faultyPorts({ payments, shipping }: OrderPorts, faults: Faults): OrderPorts {
  /** Whose orders these are, learned from the first call for each. */
  const customers = new Map<string, string>();
  const during = async <Answer>(
    call: Fault['call'],
    orderIds: readonly string[],
    work: () => Promise<Answer>,
  ): Promise<Answer> => {
    const fault = orderIds
      .flatMap((orderId) => faults.get(customers.get(orderId) ?? '') ?? [])
      .find((each) => each.call === call);
    const timedOut = call === 'accept' || call === 'cancel' ? 'warehouse_timed_out' : 'payment_timed_out';
    const failure = new StepFailure(fault?.isUnknown === true ? timedOut : 'away', 'No answer.');
    if (fault?.when === 'before') throw failure;
    const answer = await work();
    if (fault?.when === 'after') throw failure;
    return answer;
  };
  const ofPayments = (calls: readonly { readonly payment: { readonly orderId: string } }[]): string[] =>
    calls.map(({ payment }) => payment.orderId);
  const paying = (port: PaymentPort): PaymentPort => ({
    ...port,
    authorise: (request) => {
      for (const { orderId, customerId } of request.calls) customers.set(orderId, customerId);
      return during(
        'authorise',
        request.calls.map(({ orderId }) => orderId),
        () => port.authorise(request),
      );
    },
    capture: (request) => during('capture', ofPayments(request.calls), () => port.capture(request)),
    void: (request) => during('void', ofPayments(request.calls), () => port.void(request)),
    refund: (request) => during('refund', ofPayments(request.calls), () => port.refund(request)),
    find: (request) =>
      during(
        'find',
        request.keys.map((key) => key.split(':')[1] ?? ''),
        () => port.find(request),
      ),
  });
  const sending = (port: ShippingPort): ShippingPort => ({
    ...port,
    accept: (request) =>
      during(
        'accept',
        request.calls.map(({ orderId }) => orderId),
        () => port.accept(request),
      ),
    cancel: (request) => during('cancel', request.orderIds, () => port.cancel(request)),
  });
  return { payments: around(payments, paying), shipping: around(shipping, sending) };
}

/** A bank and a carrier that keep books of their own, in this process. */
export function remoteProviders(countries: readonly string[]) {
  const bank = createBank({ limitMinor: 1_000_000_000 });
  const carrier = createCarrier({ countries });
  const banking: PaymentPort = {
    authorise: async ({ calls }) => calls.map(bank.authorise),
    capture: async ({ calls }) => calls.map(bank.capture),
    void: async ({ calls }) => calls.map(bank.void),
    refund: async ({ calls }) => calls.map(bank.refund),
    find: async ({ keys }) => new Map(bank.find(keys)),
    findRefunds: async ({ keys }) => new Set(bank.findRefunds(keys)),
  };
  const carrying: ShippingPort = {
    accept: async ({ calls }) => calls.map(carrier.accept),
    cancel: async ({ orderIds }) => orderIds.map(carrier.cancel),
    find: async ({ orderIds }) => new Map(carrier.find(orderIds)),
  };
  const ports: OrderPorts = {
    payments: { byName: { bank: { remote: banking } }, current: 'bank' },
    shipping: { byName: { carrier: { remote: carrying } }, current: 'carrier' },
  };
  return { bank, carrier, ports };
}

/** The same providers, with something around the port of each. */
export function around<Port>(bindings: Bindings<Port>, wrap: (port: Port) => Port): Bindings<Port> {
  const wrapped = (binding: Binding<Port>): Binding<Port> =>
    'local' in binding ? { local: (books) => wrap(binding.local(books)) } : { remote: wrap(binding.remote) };
  const byName = Object.entries(bindings.byName).map(([name, binding]) => [name, wrapped(binding)]);
  return { ...bindings, byName: Object.fromEntries(byName) };
}
