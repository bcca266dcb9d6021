import pg from 'pg';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { StepFailure } from '../../src/domain/process/step-work.ts';
import type { PaymentPort } from '../../src/gateways/payment/payment-port.ts';
import type { LocalProvider } from '../../src/gateways/provider.ts';
import type { Loss } from '../support/remote-providers.ts';

/**
 * The ledger as if it was behind a network: each call is a transaction of its own, and answers get lost until `losses`
 * is used up.
 */
export function losingAnswers(
  ledger: LocalProvider<PaymentPort>,
  { pool, losses }: { pool: () => pg.Pool; losses: Loss[] },
): LocalProvider<PaymentPort> {
  const overNetwork = async <Request extends { tenantId: string; calls: readonly unknown[] }, Answer>(
    name: string,
    call: (port: PaymentPort, request: Request) => Promise<Answer>,
    request: Request,
  ): Promise<Answer> => {
    const place = request.calls.length === 0 ? -1 : losses.findIndex((each) => each.call === name);
    const [loss] = place < 0 ? [] : losses.splice(place, 1);
    if (loss?.when === 'before') throw new StepFailure('payment_timed_out', 'No answer in time.');
    // The step holds a connection of ours.
    const theirs = Object.assign(new pg.Pool({ ...pool().options, max: 1 }), { reach: 'tenant' as const });
    let answer: Answer;
    try {
      answer = await rawTransaction(theirs, request.tenantId, (books) => call(ledger(books), request));
    } finally {
      await theirs.end();
    }
    if (loss?.when === 'after') throw new StepFailure('payment_timed_out', 'No answer in time.');
    return answer;
  };
  return (books) => ({
    ...ledger(books),
    authorise: (request) => overNetwork('authorise', (port, given: typeof request) => port.authorise(given), request),
    capture: (request) => overNetwork('capture', (port, given: typeof request) => port.capture(given), request),
    void: (request) => overNetwork('void', (port, given: typeof request) => port.void(given), request),
    refund: (request) => overNetwork('refund', (port, given: typeof request) => port.refund(given), request),
  });
}
