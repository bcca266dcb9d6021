import { LEDGER } from '../../domain/orders/order-process.ts';
import type { OrderPorts } from '../../gateways/default-ports.ts';
import type { PaymentPort } from '../../gateways/payment/payment-port.ts';
import { providedStep, unaskedStep, type ProvidedBy } from '../process/provider-step.ts';
import { stepActivities, type StepDeps } from '../process/step.ts';
import { acceptRefund, releaseRefund } from './accept-refund.ts';
import { paidByHand, payBack } from './pay-back.ts';
import { restockGoods, unstockGoods } from './restock-goods.ts';

/** The steps of a refund and their undos, each beside its own. */
export function createRefundActivities({ payments, ...deps }: StepDeps & Pick<OrderPorts, 'payments'>) {
  const paid: ProvidedBy<PaymentPort> = { bindings: payments, field: 'payment', before: LEDGER };
  return stepActivities(deps, {
    acceptRefund: providedStep(acceptRefund, paid),
    releaseRefund: { local: releaseRefund },
    restockGoods: { local: restockGoods },
    unstockGoods: { local: unstockGoods },
    payBack: providedStep(payBack, paid),
    paidByHand: unaskedStep(payBack, paidByHand, paid),
  });
}
