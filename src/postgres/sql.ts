import type { ClientBase, QueryResultRow } from 'pg';
import type { Tx } from './client.ts';

/** A transaction at work: Prisma's, or one of `rawTransaction`. */
export type AnyTx = Tx | ClientBase;

/** Runs a statement in a transaction of either kind. */
export async function sql<Row extends QueryResultRow>(
  tx: AnyTx,
  text: string,
  values: readonly unknown[],
): Promise<Row[]> {
  return 'query' in tx
    ? (await tx.query<Row>(text, [...values])).rows
    : await tx.$queryRawUnsafe<Row[]>(text, ...values);
}

/** All columns of `table` under the names that Prisma gives them in `fields`. */
export function columnsOf(table: string, fields: Readonly<Record<string, string>>): string {
  return Object.keys(fields)
    .map((field) => `${table}.${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)} AS "${field}"`)
    .join(', ');
}

/**
 * A condition: the columns, a tenant and something of the type, are one of the pairs of the lists `$1` and `$2`. It is
 * no join: of a list the planner knows too little not to read each tenant for it. An index needs a condition beside it.
 */
export function isAmong([tenant, other]: readonly [string, string], type: 'text' | 'uuid'): string {
  return `${tenant} || ' ' || ${other} = ANY(ARRAY(
    SELECT tenant || ' ' || other FROM unnest($1::text[], $2::${type}[]) AS pair (tenant, other)))`;
}
