import type { LocalProvider, PortCall } from '../../provider.ts';
import type { PaymentAnswer, PaymentPort } from '../payment-port.ts';
import {
  lockAndRead,
  openAccounts,
  post,
  readPayments,
  readTransferKeys,
  type Books,
  type GuardedPosting,
  type Read,
} from './books.ts';
import { decideCall, type CreditAccount, type Found, type LedgerCall, type Posting } from './rules.ts';

/** The payment port whose books are in PostgreSQL, in double entry; a customer pays on account, up to a limit. */
export function createLedger({ creditLimitMinor }: { creditLimitMinor: number }): LocalProvider<PaymentPort> {
  return (books) => {
    const resolve = ({ tenantId }: PortCall, calls: readonly LedgerCall[]) =>
      resolveCalls({ books, tenantId, calls, creditLimitMinor });
    return {
      authorise: ({ calls, ...request }) =>
        resolve(
          request,
          calls.map((payment) => ({ type: 'authorise', payment })),
        ),
      capture: ({ calls, ...request }) =>
        resolve(
          request,
          calls.map((call) => ({ type: 'capture', ...call })),
        ),
      void: ({ calls, ...request }) =>
        resolve(
          request,
          calls.map((call) => ({ type: 'void', ...call })),
        ),
      refund: ({ calls, ...request }) =>
        resolve(
          request,
          calls.map((call) => ({ type: 'refund', ...call })),
        ),
      writeOff: ({ calls, ...request }) =>
        resolve(
          request,
          calls.map((call) => ({ type: 'writeOff', ...call })),
        ),
      find: async ({ tenantId, keys }) =>
        new Map((await readPayments({ books, tenantId, keys })).map((payment) => [payment.key, payment])),
      findRefunds: async ({ tenantId, keys }) => new Set(await readTransferKeys({ books, tenantId, keys })),
    };
  };
}

/** Decides and writes until nothing was written by anybody else between a read and its write. */
async function resolveCalls({
  books,
  tenantId,
  calls,
  creditLimitMinor,
}: Books & { calls: readonly LedgerCall[]; creditLimitMinor: number }): Promise<readonly PaymentAnswer[]> {
  if (calls.length === 0) return [];
  for (;;) {
    const read = await lockAndRead({ books, tenantId, calls });
    const missing = calls
      .map(({ payment }) => payment)
      .filter((payment) => !read.accounts.some((account) => accountKey(account) === accountKey(payment)));
    if (missing.length > 0) {
      await openAccounts({ books, tenantId, accounts: missing, limitMinor: creditLimitMinor });
      continue;
    }
    const { answers, postings } = decideAll(read, calls);
    if (postings.length === 0 || (await post({ books, tenantId, postings })) === postings.length) return answers;
  }
}

/** Decides on each call as it is after those before it. */
function decideAll(
  read: Read,
  calls: readonly LedgerCall[],
): { answers: readonly PaymentAnswer[]; postings: readonly GuardedPosting[] } {
  const accounts = new Map(read.accounts.map((account) => [accountKey(account), account]));
  const payments = new Map(read.payments.map((payment) => [payment.key, payment]));
  const transfers = new Map(read.transfers.map((transfer) => [transfer.key, transfer]));
  const postings: GuardedPosting[] = [];
  const foundFor = (call: LedgerCall): Found => ({
    account: accounts.get(accountKey(call.payment)),
    payment: payments.get(call.payment.key),
    transfer: 'key' in call ? transfers.get(call.key) : undefined,
  });
  const apply = (posting: Posting): void => {
    const { payment } = posting;
    postings.push({ ...posting, before: payments.get(payment.key) ?? null });
    const account = accounts.get(accountKey(payment));
    if (account !== undefined) {
      accounts.set(accountKey(payment), {
        ...account,
        heldMinor: account.heldMinor + posting.heldMinor,
        owedMinor: account.owedMinor + posting.owedMinor,
      });
    }
    payments.set(payment.key, payment);
    for (const transfer of posting.transfers) transfers.set(transfer.key, transfer);
  };
  const answers = calls.map((call) => {
    const verdict = decideCall(call, foundFor(call));
    if (verdict.type === 'answer') return verdict.answer;
    apply(verdict);
    const repeated = decideCall(call, foundFor(call));
    if (repeated.type === 'post') throw new Error(`a ${call.type} leads to another`);
    return repeated.answer;
  });
  return { answers, postings };
}

function accountKey({ customerId, currency }: Pick<CreditAccount, 'customerId' | 'currency'>): string {
  return `${currency} ${customerId}`;
}
