import { acceptRefund, releaseRefund } from '../db/orders/accept-refund.ts';
import { payBack } from '../db/orders/pay-back.ts';
import { restockGoods, unstockGoods } from '../db/orders/restock-goods.ts';
import type { PaymentPort } from '../gateways/payment-port.ts';
import { createStepActivity, type LocalStep, type StepDeps } from './step.ts';

/** The steps of a refund and their undos, each beside its own. */
export function createRefundActivities({ payments, ...deps }: StepDeps & { readonly payments: PaymentPort }) {
  const step = (local: LocalStep) => createStepActivity(deps, { local });
  return {
    acceptRefund: step((client, works) => acceptRefund(payments, client, works)),
    releaseRefund: step(releaseRefund),
    restockGoods: step(restockGoods),
    unstockGoods: step(unstockGoods),
    payBack: step((client, works) => payBack(payments, client, works)),
  };
}
