import type { Config } from '../config.ts';
import { cancelShipment, createShipment } from '../db/orders/ship-order.ts';
import { releaseStock, reserveStock } from '../db/orders/reserve-stock.ts';
import { returnPayment, takePayment } from '../db/orders/pay-order.ts';
import { validateOrders } from '../db/orders/validate-order.ts';
import type { PaymentPort } from '../gateways/payment-port.ts';
import type { ShippingPort } from '../gateways/shipping-port.ts';
import { createStepActivity, type LocalStep, type StepDeps } from './step.ts';

/** What the steps of an order need; the ports may be others than ours. */
export interface OrderDeps extends StepDeps {
  readonly config: Pick<Config, 'ORDER_MAX_LINES' | 'ORDER_MAX_QUANTITY' | 'ORDER_MAX_TOTAL_MINOR'>;
  readonly payments: PaymentPort;
  readonly shipping: ShippingPort;
}

/** The steps of an order and their undos, each beside its own. */
export function createOrderActivities({ config, payments, shipping, ...deps }: OrderDeps) {
  const limits = { maxLines: config.ORDER_MAX_LINES, maxQuantity: config.ORDER_MAX_QUANTITY, maxTotalMinor: config.ORDER_MAX_TOTAL_MINOR };
  const step = (local: LocalStep) => createStepActivity(deps, { local });
  return {
    validateOrder: step((client, works) => validateOrders(client, works, limits)),
    reserveStock: step(reserveStock),
    releaseStock: step(releaseStock),
    takePayment: step((client, works) => takePayment(payments, client, works)),
    returnPayment: step((client, works) => returnPayment(payments, client, works)),
    createShipment: step((client, works) => createShipment(shipping, client, works)),
    cancelShipment: step((client, works) => cancelShipment(shipping, client, works)),
  };
}
