import type { Config } from '../../config/config.ts';
import { cancelShipment, createShipment } from './create-shipment.ts';
import { releaseStock, reserveStock } from './reserve-stock.ts';
import { returnPayment, takePayment } from './take-payment.ts';
import { validateOrders } from './validate-order.ts';
import type { PaymentPort } from '../../gateways/payment/payment-port.ts';
import type { ShippingPort } from '../../gateways/shipping/shipping-port.ts';
import { localStepActivities, type StepDeps } from '../process/step.ts';
import type { LocalSteps } from '../process/step-functions.ts';

/** What the steps of an order need; the ports may be others than ours. */
export interface OrderDeps extends StepDeps {
  readonly config: Pick<Config, 'ORDER_MAX_LINES' | 'ORDER_MAX_QUANTITY' | 'ORDER_MAX_TOTAL_MINOR'>;
  readonly payments: PaymentPort;
  readonly shipping: ShippingPort;
}

/** The steps of an order and their undos, each beside its own. */
export function createOrderActivities({ config, payments, shipping, ...deps }: OrderDeps) {
  const limits = {
    maxLines: config.ORDER_MAX_LINES,
    maxQuantity: config.ORDER_MAX_QUANTITY,
    maxTotalMinor: config.ORDER_MAX_TOTAL_MINOR,
  };
  const steps = {
    validateOrder: (client, works) => validateOrders(client, works, limits),
    reserveStock,
    releaseStock,
    takePayment: (client, works) => takePayment(payments, client, works),
    returnPayment: (client, works) => returnPayment(payments, client, works),
    createShipment: (client, works) => createShipment(shipping, client, works),
    cancelShipment: (client, works) => cancelShipment(shipping, client, works),
  } satisfies LocalSteps;
  return localStepActivities(deps, steps);
}
