import type { Books } from './books.ts';
import type { CreditAccount } from './rules.ts';

/** Whose account, in which currency. */
export type AccountKey = Pick<CreditAccount, 'customerId' | 'currency'>;

/** A limit as it was raised. */
export interface RaisedLimit {
  /** Null: there was no account. */
  readonly beforeMinor: number | null;
  readonly limitMinor: number;
}

/** Opens an account with a limit, or raises the limit that it has; a higher one stays. */
export async function raiseLimit({
  books,
  tenantId,
  account: { customerId, currency },
  limitMinor,
}: Books & { readonly account: AccountKey; readonly limitMinor: number }): Promise<RaisedLimit> {
  const opened = await books.query({
    name: 'credit-open',
    text: `INSERT INTO credit_accounts (tenant_id, customer_id, currency, limit_minor) VALUES ($1, $2, $3, $4)
      ON CONFLICT DO NOTHING`,
    values: [tenantId, customerId, currency, limitMinor],
  });
  if (opened.rowCount === 1) return { beforeMinor: null, limitMinor };
  const before = await lockAccount({ books, tenantId, account: { customerId, currency } });
  if (before === undefined) throw new Error('a credit account is gone while it is opened');
  if (before.limitMinor >= limitMinor) return { beforeMinor: before.limitMinor, limitMinor: before.limitMinor };
  await setLimit({ books, tenantId, account: { customerId, currency }, limitMinor });
  return { beforeMinor: before.limitMinor, limitMinor };
}

/**
 * Restores what was before a limit was raised; `false`: more is held and owed than that. A limit that is another by now
 * is somebody else's and stays, so that a repetition does nothing.
 */
export async function restoreLimit({
  books,
  tenantId,
  account,
  raised: { beforeMinor, limitMinor },
}: Books & { readonly account: AccountKey; readonly raised: RaisedLimit }): Promise<boolean> {
  const found = await lockAccount({ books, tenantId, account });
  if (found === undefined || found.limitMinor !== limitMinor || beforeMinor === limitMinor) return true;
  if (found.usedMinor > (beforeMinor ?? 0)) return false;
  if (beforeMinor !== null) await setLimit({ books, tenantId, account, limitMinor: beforeMinor });
  else
    await books.query({
      name: 'credit-close',
      text: 'DELETE FROM credit_accounts WHERE tenant_id = $1 AND customer_id = $2 AND currency = $3',
      values: [tenantId, account.customerId, account.currency],
    });
  return true;
}

async function lockAccount({
  books,
  tenantId,
  account: { customerId, currency },
}: Books & { readonly account: AccountKey }): Promise<{ limitMinor: number; usedMinor: number } | undefined> {
  const { rows } = await books.query<{ account: { limitMinor: number; usedMinor: number } }>({
    name: 'credit-lock',
    text: `SELECT json_build_object('limitMinor', limit_minor, 'usedMinor', held_minor + owed_minor) AS account
      FROM credit_accounts WHERE tenant_id = $1 AND customer_id = $2 AND currency = $3 FOR UPDATE`,
    values: [tenantId, customerId, currency],
  });
  return rows[0]?.account;
}

async function setLimit({
  books,
  tenantId,
  account: { customerId, currency },
  limitMinor,
}: Books & { readonly account: AccountKey; readonly limitMinor: number }): Promise<void> {
  await books.query({
    name: 'credit-limit',
    text: `UPDATE credit_accounts SET limit_minor = $4 WHERE tenant_id = $1 AND customer_id = $2 AND currency = $3`,
    values: [tenantId, customerId, currency, limitMinor],
  });
}
