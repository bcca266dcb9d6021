import type pg from 'pg';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { StepFailure } from '../../src/domain/process/step-work.ts';
import type { PaymentPort } from '../../src/gateways/payment/payment-port.ts';

/**
 * Calls of the payment port whose answers get lost, each as often as it is listed: before or after the call takes
 * effect.
 */
export type Losses = {
  readonly call: 'authorise' | 'capture' | 'void' | 'refund';
  readonly when: 'before' | 'after';
}[];

/**
 * The port as one behind a network: each call is a transaction of its own, and answers get lost until `losses` is used
 * up.
 */
export function losingAnswers(
  port: PaymentPort,
  { pool, losses }: { pool: () => pg.Pool; losses: Losses },
): PaymentPort {
  const overNetwork = async <Request extends { tenantId: string; calls: readonly unknown[] }, Answer>(
    name: Losses[number]['call'],
    call: (request: Request) => Promise<Answer>,
    request: Request,
  ): Promise<Answer> => {
    const place = request.calls.length === 0 ? -1 : losses.findIndex((each) => each.call === name);
    const [loss] = place < 0 ? [] : losses.splice(place, 1);
    if (loss?.when === 'before') throw new StepFailure('payment_timed_out', 'No answer in time.');
    const answer = await rawTransaction(pool(), request.tenantId, (books) => call({ ...request, books }));
    if (loss?.when === 'after') throw new StepFailure('payment_timed_out', 'No answer in time.');
    return answer;
  };
  return {
    authorise: (request) => overNetwork('authorise', (call: typeof request) => port.authorise(call), request),
    capture: (request) => overNetwork('capture', (call: typeof request) => port.capture(call), request),
    void: (request) => overNetwork('void', (call: typeof request) => port.void(call), request),
    refund: (request) => overNetwork('refund', (call: typeof request) => port.refund(call), request),
    find: (request) => port.find(request),
    findRefunds: (request) => port.findRefunds(request),
  };
}
