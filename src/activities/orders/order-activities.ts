import type { Config } from '../../config/config.ts';
import { LEDGER, WAREHOUSE } from '../../domain/orders/order-process.ts';
import type { OrderPorts } from '../../gateways/default-ports.ts';
import { cancelShipment, createShipment, shipByHand } from './create-shipment.ts';
import { releaseStock, reserveStock } from './reserve-stock.ts';
import { returnPayment, takePayment } from './take-payment.ts';
import { validateOrders } from './validate-order.ts';
import type { PaymentPort } from '../../gateways/payment/payment-port.ts';
import type { ShippingPort } from '../../gateways/shipping/shipping-port.ts';
import { providedStep, type ProvidedBy } from '../process/provider-step.ts';
import { stepActivities, type StepDeps } from '../process/step.ts';

/** What the steps of an order need; the ports may be others than ours. */
export interface OrderDeps extends StepDeps, OrderPorts {
  readonly config: Pick<Config, 'ORDER_MAX_LINES' | 'ORDER_MAX_QUANTITY' | 'ORDER_MAX_TOTAL_MINOR'>;
}

/** The steps of an order and their undos, each beside its own. */
export function createOrderActivities({ config, payments, shipping, ...deps }: OrderDeps) {
  const limits = {
    maxLines: config.ORDER_MAX_LINES,
    maxQuantity: config.ORDER_MAX_QUANTITY,
    maxTotalMinor: config.ORDER_MAX_TOTAL_MINOR,
  };
  const paid: ProvidedBy<PaymentPort> = { bindings: payments, field: 'payment', before: LEDGER };
  const shipped: ProvidedBy<ShippingPort> = { bindings: shipping, field: 'shipping', before: WAREHOUSE };
  return stepActivities(deps, {
    validateOrder: { local: (client, works) => validateOrders(client, works, limits) },
    reserveStock: { local: reserveStock },
    releaseStock: { local: releaseStock },
    takePayment: providedStep(takePayment, paid),
    returnPayment: providedStep(returnPayment, paid),
    createShipment: providedStep(createShipment, shipped),
    shipByHand: { local: shipByHand },
    cancelShipment: providedStep(cancelShipment, shipped),
  });
}
