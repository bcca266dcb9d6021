import type pg from 'pg';
import type { LeftPieces, SettlementMoves } from '../../domain/process/left-over.ts';

/** A settlement as its row has it. */
export interface SettlementRow {
  readonly settlementId: string;
  readonly settledId: string;
  readonly orderId: string;
  readonly amountMinor: number | null;
  readonly pieces: SettlementMoves['pieces'] | null;
  readonly items: readonly LeftPieces[];
}

type SettlementIds = { readonly tenantId: string; readonly settlementIds: readonly string[] };

/** Settlements in the order of `ids`, not locked: every caller holds the lock on the settlement's process. */
export async function readSettlements(
  client: pg.ClientBase,
  { tenantId, settlementIds }: SettlementIds,
): Promise<readonly SettlementRow[]> {
  const { rows } = await client.query<SettlementRow>({
    name: 'read-settlements',
    values: [tenantId, settlementIds],
    text: `SELECT id::text AS "settlementId", settled_id::text AS "settledId", order_id::text AS "orderId",
      amount_minor::float8 AS "amountMinor", pieces, items
      FROM settlements WHERE tenant_id = $1 AND id = ANY($2::uuid[])`,
  });
  const settlements = new Map(rows.map((row) => [row.settlementId, row]));
  return settlementIds.map((settlementId) => {
    const settlement = settlements.get(settlementId);
    if (settlement === undefined) throw new Error('a process has no settlement');
    return settlement;
  });
}

/** Writes which part of settlements took effect; from then on it counts. */
export async function setSettled(
  client: pg.ClientBase,
  { tenantId, settlementIds, part }: SettlementIds & { part: 'payment' | 'pieces' },
): Promise<void> {
  if (settlementIds.length === 0) return;
  const column = part === 'payment' ? 'payment_at' : 'pieces_at';
  await client.query({
    name: `set-settled-${part}`,
    values: [tenantId, settlementIds],
    text: `UPDATE settlements SET ${column} = coalesce(${column}, now())
      WHERE tenant_id = $1 AND id = ANY($2::uuid[])`,
  });
}
