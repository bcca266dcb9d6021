import type pg from 'pg';
import type { CreditAccount, LedgerCall, LedgerPayment, Posting, Transfer } from './rules.ts';

/** The transaction in which the ledger works, and the tenant. */
export interface Books {
  readonly books: pg.ClientBase;
  readonly tenantId: string;
}

/** What a list of calls looks at. */
export interface Read {
  readonly accounts: readonly CreditAccount[];
  readonly payments: readonly LedgerPayment[];
  readonly transfers: readonly Pick<Transfer, 'key' | 'orderId' | 'amountMinor'>[];
}

/** A posting, and the payment that it was decided on; null: there was none. */
export interface GuardedPosting extends Posting {
  readonly before: LedgerPayment | null;
}

const PAYMENT = `'key', key, 'status', status, 'amountMinor', amount_minor, 'refundedMinor', refunded_minor,
  'orderId', order_id, 'customerId', customer_id, 'currency', currency`;

/**
 * Locks the customers' accounts, always in the same order, and reads the payments. The accounts are as they are once
 * the locks are there; the payments may be as they were before, so whoever writes one must make sure that it still is.
 */
export async function lockAndRead({ books, tenantId, calls }: Books & { calls: readonly LedgerCall[] }): Promise<Read> {
  const {
    rows: [read],
  } = await books.query<Read>({
    name: 'ledger-read',
    text: `
      WITH account AS (
        SELECT * FROM credit_accounts
        WHERE tenant_id = $1 AND customer_id = ANY($2::text[])
          AND (customer_id, currency) IN (SELECT * FROM unnest($2::text[], $3::bpchar[]))
        ORDER BY customer_id, currency FOR NO KEY UPDATE
      )
      SELECT
        (SELECT coalesce(json_agg(json_build_object('customerId', customer_id, 'currency', currency, 'limitMinor',
          limit_minor,
          'heldMinor', held_minor, 'owedMinor', owed_minor)), '[]') FROM account) AS accounts,
        (SELECT coalesce(json_agg(json_build_object(${PAYMENT})), '[]') FROM payments WHERE tenant_id = $1
          AND key = ANY($4::text[])) AS payments,
        (SELECT coalesce(json_agg(json_build_object('key', key, 'orderId', order_id, 'amountMinor', amount_minor)),
          '[]')
          FROM ledger_transfers WHERE tenant_id = $1 AND key = ANY($5::text[])) AS transfers`,
    values: [
      tenantId,
      calls.map(({ payment }) => payment.customerId),
      calls.map(({ payment }) => payment.currency),
      calls.map(({ payment }) => payment.key),
      calls.map((call) => ('key' in call ? call.key : call.payment.key)),
    ],
  });
  if (read === undefined) throw new Error('the ledger gave no answer');
  return read;
}

/** Opens the accounts that customers do not have yet. */
export async function openAccounts({
  books,
  tenantId,
  accounts,
  limitMinor,
}: Books & { accounts: readonly Pick<CreditAccount, 'customerId' | 'currency'>[]; limitMinor: number }): Promise<void> {
  await books.query({
    name: 'ledger-open',
    text: `INSERT INTO credit_accounts (tenant_id, customer_id, currency, limit_minor)
      SELECT DISTINCT $1, customer_id, currency, $4::bigint FROM unnest($2::text[], $3::bpchar[]) AS given (customer_id,
        currency)
      ORDER BY customer_id, currency ON CONFLICT DO NOTHING`,
    values: [
      tenantId,
      accounts.map(({ customerId }) => customerId),
      accounts.map(({ currency }) => currency),
      limitMinor,
    ],
  });
}

/** Writes those postings whose payment still is what they were decided on, all else with them; answers how many. */
export async function post({
  books,
  tenantId,
  postings,
}: Books & { postings: readonly GuardedPosting[] }): Promise<number> {
  const { rowCount } = await books.query({
    name: 'ledger-post',
    text: POST,
    values: [
      tenantId,
      JSON.stringify(
        postings.map(({ payment, before, ...rest }, n) => ({
          ...payment,
          ...rest,
          n,
          statusBefore: before?.status ?? null,
          refundedBefore: before?.refundedMinor ?? null,
        })),
      ),
      postings.map(({ payment }) => payment.key),
      postings.map(({ payment }) => payment.customerId),
    ],
  });
  return rowCount ?? 0;
}

const POST = `
  WITH given AS (
    SELECT * FROM jsonb_to_recordset($2::jsonb) AS g(
      n int, key text, "orderId" uuid, "customerId" text, currency bpchar, status text, "amountMinor" bigint,
        "refundedMinor" bigint,
      "statusBefore" text, "refundedBefore" bigint, transfers jsonb, "heldMinor" bigint, "owedMinor" bigint)
  ), inserted AS (
    INSERT INTO payments (tenant_id, key, order_id, customer_id, status, amount_minor, currency)
    SELECT $1, key, "orderId", "customerId", status::"PaymentStatus", "amountMinor", currency FROM given
    WHERE "statusBefore" IS NULL ORDER BY key
    ON CONFLICT DO NOTHING RETURNING key
  ), updated AS (
    UPDATE payments AS p SET status = g.status::"PaymentStatus", refunded_minor = g."refundedMinor", updated_at = now()
    FROM given AS g
    WHERE p.tenant_id = $1 AND p.key = g.key AND p.status = g."statusBefore"::"PaymentStatus"
      AND p.refunded_minor = g."refundedBefore" AND p.key = ANY($3::text[])
    RETURNING g.n
  ), done AS (
    SELECT g.* FROM given AS g WHERE g.n IN (SELECT n FROM updated)
      OR (g."statusBefore" IS NULL AND g.key IN (SELECT key FROM inserted))
  ), transferred AS (
    INSERT INTO ledger_transfers (tenant_id, key, order_id, debit_account, credit_account, amount_minor, currency)
    SELECT $1, t.key, d."orderId", t.debit, t.credit, t."amountMinor", d.currency
    FROM done AS d, jsonb_to_recordset(d.transfers) AS t(key text, debit text, credit text, "amountMinor" bigint)
  ), account AS (
    UPDATE credit_accounts AS a SET held_minor = a.held_minor + s.held, owed_minor = a.owed_minor + s.owed
    FROM (SELECT "customerId", currency, sum("heldMinor") AS held, sum("owedMinor") AS owed FROM done
      GROUP BY 1, 2) AS s
    WHERE a.tenant_id = $1 AND a.customer_id = s."customerId" AND a.currency = s.currency
      AND a.customer_id = ANY($4::text[])
  )
  SELECT n FROM done`;

/** The payments of these keys. */
export async function readPayments({
  books,
  tenantId,
  keys,
}: Books & { keys: readonly string[] }): Promise<LedgerPayment[]> {
  const { rows } = await books.query<{ payment: LedgerPayment }>({
    name: 'ledger-find',
    text: `SELECT json_build_object(${PAYMENT}) AS payment FROM payments WHERE tenant_id = $1
      AND key = ANY($2::text[])`,
    values: [tenantId, keys],
  });
  return rows.map(({ payment }) => payment);
}

/** Those of these keys under which something was transferred. */
export async function readTransferKeys({
  books,
  tenantId,
  keys,
}: Books & { keys: readonly string[] }): Promise<string[]> {
  const { rows } = await books.query<{ key: string }>(
    'SELECT key FROM ledger_transfers WHERE tenant_id = $1 AND key = ANY($2::text[])',
    [tenantId, keys],
  );
  return rows.map(({ key }) => key);
}
