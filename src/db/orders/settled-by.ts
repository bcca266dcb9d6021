import type pg from 'pg';
import { hasSettled } from '../../domain/orders/left-over.ts';
import type { LeftOver } from '../../domain/process/left-over.ts';
import type { ProcessState } from '../../domain/process/state.ts';
import { isClosed } from '../../domain/process/statuses.ts';

/**
 * Whether something of the order is being settled, by another process than this, or something of this process was: it
 * counts as settled where a settlement may have taken effect, whatever became of it.
 */
export async function settlementOf(
  client: pg.ClientBase,
  { tenantId, orderId, processId }: { tenantId: string; orderId: string; processId: string },
): Promise<'under_way' | 'settled' | 'none'> {
  const { rows } = await client.query<Pick<ProcessState, 'status' | 'history'> & { isOfThis: boolean }>({
    name: 'settlements-of-order',
    values: [tenantId, orderId, processId],
    text: `SELECT p.status::text, p.history, s.settled_id = $3::uuid AS "isOfThis" FROM settlements AS s
      JOIN process_states AS p ON p.tenant_id = $1 AND p.process_id = s.id
      WHERE s.tenant_id = $1 AND s.order_id = $2 AND s.id <> $3`,
  });
  if (rows.some(({ status }) => !isClosed(status))) return 'under_way';
  return rows.some(({ isOfThis, history }) => isOfThis && hasSettled({ history })) ? 'settled' : 'none';
}

/** Whether all that a settlement was to settle, and has not, is left over still. */
export async function isToSettle(
  client: pg.ClientBase,
  { tenantId, processId, leftOver }: { tenantId: string; processId: string; leftOver: LeftOver },
): Promise<boolean> {
  const {
    rows: [row],
  } = await client.query<{ amountMinor: number; hasPieces: boolean }>({
    name: 'still-to-settle',
    values: [tenantId, processId],
    text: `SELECT CASE WHEN payment_at IS NULL THEN coalesce(amount_minor, 0) ELSE 0 END::float8 AS "amountMinor",
      pieces IS NOT NULL AND pieces_at IS NULL AS "hasPieces"
      FROM settlements WHERE tenant_id = $1 AND id = $2`,
  });
  return (
    row !== undefined &&
    row.amountMinor <= (leftOver.payment?.amountMinor ?? 0) &&
    (!row.hasPieces || leftOver.pieces !== undefined)
  );
}
