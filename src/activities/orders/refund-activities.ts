import { acceptRefund, releaseRefund } from './accept-refund.ts';
import { payBack } from './pay-back.ts';
import { restockGoods, unstockGoods } from './restock-goods.ts';
import type { PaymentPort } from '../../gateways/payment/payment-port.ts';
import { localStepActivities, type StepDeps } from '../process/step.ts';

/** The steps of a refund and their undos, each beside its own. */
export function createRefundActivities({ payments, ...deps }: StepDeps & { readonly payments: PaymentPort }) {
  return localStepActivities(deps, {
    acceptRefund: (client, works) => acceptRefund(payments, client, works),
    releaseRefund,
    restockGoods,
    unstockGoods,
    payBack: (client, works) => payBack(payments, client, works),
  });
}
