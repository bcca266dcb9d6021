import test from 'ava';
import fc from 'fast-check';
import { decideCall, type CreditAccount, type LedgerCall, type LedgerPayment, type Transfer } from './rules.ts';

const LIMIT = 1_000;

/** Books in memory: each call is decided on what those before it left. */
function booksAfter(calls: readonly LedgerCall[]) {
  let account: CreditAccount = { customerId: 'c', currency: 'EUR', limitMinor: LIMIT, heldMinor: 0, owedMinor: 0 };
  const payments = new Map<string, LedgerPayment>();
  const transfers = new Map<string, Transfer>();
  for (const call of calls) {
    const found = {
      account,
      payment: payments.get(call.payment.key),
      transfer: 'key' in call ? transfers.get(call.key) : undefined,
    };
    const verdict = decideCall(call, found);
    if (verdict.type === 'answer') continue;
    payments.set(verdict.payment.key, verdict.payment);
    for (const transfer of verdict.transfers) {
      if (transfers.has(transfer.key)) throw new Error(`${transfer.key} is transferred twice`);
      transfers.set(transfer.key, transfer);
    }
    account = {
      ...account,
      heldMinor: account.heldMinor + verdict.heldMinor,
      owedMinor: account.owedMinor + verdict.owedMinor,
    };
  }
  return { account, payments: [...payments.values()], transfers: [...transfers.values()] };
}

const anyCalls = fc
  .array(
    fc.record({
      order: fc.integer({ min: 1, max: 3 }),
      type: fc.constantFrom('authorise', 'capture', 'void', 'refund', 'writeOff'),
      part: fc.integer({ min: 1, max: 3 }),
    }),
    { maxLength: 30 },
  )
  .map((drawn) =>
    drawn.map(({ order, type, part }): LedgerCall => {
      const payment = {
        key: `order:${order}:authorise`,
        orderId: `${order}`,
        customerId: 'c',
        amountMinor: order * 200,
        currency: 'EUR',
        method: 'account',
      };
      if (type === 'authorise') return { type, payment };
      if (type === 'refund' || type === 'writeOff')
        return { type, payment, key: `${type}:${order}:${part}`, amountMinor: part * 100 };
      return { type: type === 'capture' ? 'capture' : 'void', payment, key: `order:${order}:${type}` };
    }),
  );

test('the ledger keeps a customer within its limit, and its account agrees with the transfers', (t) => {
  fc.assert(
    fc.property(anyCalls, (calls) => {
      const { account, transfers } = booksAfter(calls);
      const balanceOf = (name: string): number =>
        transfers.reduce(
          (sum, { debit, credit, amountMinor }) =>
            sum + (debit === name ? amountMinor : 0) - (credit === name ? amountMinor : 0),
          0,
        );
      return (
        account.heldMinor >= 0 &&
        account.owedMinor >= 0 &&
        account.heldMinor + account.owedMinor <= LIMIT &&
        balanceOf('held:c') === account.heldMinor &&
        balanceOf('receivable:c') === account.owedMinor &&
        balanceOf('authorised') === -account.heldMinor &&
        balanceOf('revenue') + balanceOf('written_off') === -account.owedMinor
      );
    }),
    { seed: 5, numRuns: 1_000 },
  );
  t.pass();
});

test('the ledger takes a payment once at most and never refunds more than it took', (t) => {
  fc.assert(
    fc.property(anyCalls, (calls) => {
      const { payments, transfers } = booksAfter(calls);
      return payments.every(({ key, orderId, amountMinor, refundedMinor, status }) => {
        const moved = (side: 'debit' | 'credit', account = 'revenue') =>
          transfers
            .filter((transfer) => transfer.orderId === orderId && transfer[side] === account)
            .reduce((sum, transfer) => sum + transfer.amountMinor, 0);
        const isTaken = status === 'captured' || status === 'refunded';
        return (
          moved('credit') === (isTaken ? amountMinor : 0) &&
          moved('debit') + moved('debit', 'written_off') === refundedMinor &&
          refundedMinor <= amountMinor &&
          key.includes(orderId)
        );
      });
    }),
    { seed: 5, numRuns: 1_000 },
  );
  t.pass();
});

test('the ledger decides on a repeated call as on the first', (t) => {
  fc.assert(
    fc.property(anyCalls, (calls) => {
      t.deepEqual(booksAfter(calls.flatMap((call) => [call, call])), booksAfter(calls));
    }),
    { seed: 5, numRuns: 300 },
  );
});
