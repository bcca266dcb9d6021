import { systemTransaction } from '../../postgres/transaction.ts';
import { removeWhere, type Removal } from './delete-in-batches.ts';

/** What a text that somebody typed is replaced by, where what was decided, when and by whom stays. */
export const ERASED = 'erased';

/** A user or a process of which something is removed. */
export interface Erased {
  readonly tenantId: string;
  readonly id: string;
}

/**
 * Runs the work on one table and answers whether it succeeded; a table that failed is named in the clean-up's error.
 */
export type Attempt = (table: string, work: () => Promise<void>) => Promise<boolean>;

/** Every id that a kept answer names in its address or its body, as the index has them. */
const NAMES: Readonly<Record<'idempotency_keys' | 'dead_letters', string>> = {
  idempotency_keys: 'named_in_answer(scope, body)',
  dead_letters: 'named_in_answer(key, left(payload, 100000))',
};

/** Removes the rows of a table that name one of these, whatever the form of their key. */
export async function removeNaming(
  removal: Removal,
  table: keyof typeof NAMES,
  erased: readonly Erased[],
): Promise<void> {
  const names = NAMES[table];
  await removeWhere(
    removal,
    table,
    `${names} && $2::text[] AND EXISTS (SELECT FROM unnest($1::text[], $2::text[]) AS erased (tenant, id)
      WHERE erased.tenant = tenant_id AND erased.id = ANY(${names}))`,
    columnsOf(erased),
  );
}

/** Changes rows of a table; `$1` are tenants and `$2` ids, two lists of one length. */
export async function changeRows(
  { pool, count }: Removal,
  table: string,
  text: string,
  erased: readonly Erased[],
): Promise<void> {
  const { rowCount } = await systemTransaction(pool, (client) => client.query(text, columnsOf(erased)));
  count(table, rowCount ?? 0);
}

/**
 * A condition: the row of the table is one of the pairs `$1` and `$2`, a tenant and what the column holds. Each is
 * looked up by an index that begins with both, however many rows there are.
 */
export function isOneOf(table: string, column: string, type: 'text' | 'uuid'): string {
  return `ctid = ANY(ARRAY(
    SELECT found.ctid FROM unnest($1::text[], $2::${type}[]) AS erased (tenant, id)
    CROSS JOIN LATERAL (
      SELECT ctid FROM ${table} WHERE tenant_id = erased.tenant AND ${column} = erased.id OFFSET 0) AS found))`;
}

/** Takes the sentences out of alerts, by what they are about; kind, time and ids stay. */
export async function eraseAlerts(removal: Removal, conditions: readonly Erased[]): Promise<void> {
  await changeRows(
    removal,
    'alerts',
    `UPDATE alerts SET summary = '${ERASED}', details = details - 'reason'
      WHERE ${isOneOf('alerts', 'condition', 'text')} AND summary <> '${ERASED}'`,
    conditions,
  );
}

/** Two lists of one length, as statements take them. */
export function columnsOf(erased: readonly Erased[]): [string[], string[]] {
  return [erased.map(({ tenantId }) => tenantId), erased.map(({ id }) => id)];
}
