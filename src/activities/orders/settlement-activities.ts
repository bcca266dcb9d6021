import { LEDGER, WAREHOUSE } from '../../domain/orders/order-process.ts';
import type { OrderPorts } from '../../gateways/default-ports.ts';
import type { PaymentPort } from '../../gateways/payment/payment-port.ts';
import type { ShippingPort } from '../../gateways/shipping/shipping-port.ts';
import { providedStep, unaskedStep, type ProvidedBy } from '../process/provider-step.ts';
import { stepActivities, type StepDeps } from '../process/step.ts';
import { checkLeftOver } from './check-left-over.ts';
import { refundPayment, refundUnasked, writeOffPayment, writeOffUnasked } from './settle-payment.ts';
import { settlePieces } from './settle-pieces.ts';
import { callBackShipment, writeOffShipment } from './settle-shipment.ts';

/** The steps of a settlement. */
export function createSettlementActivities({ payments, shipping, ...deps }: StepDeps & OrderPorts) {
  const paid: ProvidedBy<PaymentPort> = { bindings: payments, field: 'payment', before: LEDGER };
  const shipped: ProvidedBy<ShippingPort> = { bindings: shipping, field: 'shipping', before: WAREHOUSE };
  return stepActivities(deps, {
    checkLeftOver: { local: checkLeftOver },
    callBackShipment: providedStep(callBackShipment, shipped),
    writeOffShipment: { local: writeOffShipment },
    settlePieces: { local: settlePieces },
    writeOffPayment: unaskedStep(writeOffPayment, writeOffUnasked, paid),
    refundPayment: providedStep(refundPayment, paid),
    refundedByHand: unaskedStep(refundPayment, refundUnasked, paid),
  });
}
