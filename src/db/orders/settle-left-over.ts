import type pg from 'pg';
import { fullMoves, type LeftOver, type SettlementMoves } from '../../domain/process/left-over.ts';
import type { OperatorDecision } from '../../domain/process/state.ts';
import { CLOSED_STATUSES } from '../../domain/process/statuses.ts';
import { settlementProcess, type SettlementData } from '../../domain/orders/settlement-process.ts';
import { enqueueCalls } from '../../messaging/outbox/workflow-outbox.ts';
import type { TenantPool } from '../../postgres/pool.ts';
import { rawTransaction } from '../../postgres/transaction.ts';
import { newProcess } from '../processes/new-process.ts';
import { insertProcessesSql, processesParameter } from '../processes/process-rows.ts';
import { findEnded } from '../left-overs.ts';
import type { Ended } from './left-over.ts';
import { lockOrders } from './refund-rows.ts';

/** What an operator decides on what a process has left over. */
export interface NewSettlement {
  readonly tenantId: string;
  readonly settlementId: string;
  readonly settled: { readonly processId: string; readonly processType: string };
  readonly asked: SettlementMoves;
  readonly decided: OperatorDecision;
}

/** `begun`: also by an earlier request. `under_way`: another settlement of the order is. `not_left`: what is. */
export type SettlementBegun =
  | { readonly kind: 'begun' }
  | { readonly kind: 'under_way' }
  | { readonly kind: 'not_left'; readonly leftOver: LeftOver };

/**
 * Writes the settlement, its process and the start of its workflow. The lock on the order lets nobody else refund or
 * settle what it takes meanwhile; from then on the row says that it is spoken for.
 */
export async function settleLeftOver(pool: TenantPool, settlement: NewSettlement): Promise<SettlementBegun> {
  const { tenantId, settlementId, settled, asked } = settlement;
  return rawTransaction(pool, tenantId, async (client) => {
    const found = await findEnded(client, { tenantId, ...settled });
    if (found === null) return { kind: 'not_left', leftOver: {} };
    const { orderId } = found;
    await lockOrders(client, { tenantId, orderIds: [orderId] });
    const openIds = await settlementsUnderWay(client, { tenantId, orderId, settlementId });
    if (openIds.length > 0) return { kind: openIds.includes(settlementId) ? 'begun' : 'under_way' };
    const ended = (await findEnded(client, { tenantId, ...settled })) ?? found;
    const moves = fullMoves(asked, ended.leftOver);
    if (moves === null) return { kind: 'not_left', leftOver: ended.leftOver };
    await insertSettlement(client, { settlement, ended, moves });
    return { kind: 'begun' };
  });
}

/** The settlement itself, if it was written before, and those of the order that are not over. */
async function settlementsUnderWay(
  client: pg.ClientBase,
  { tenantId, orderId, settlementId }: { tenantId: string; orderId: string; settlementId: string },
): Promise<readonly string[]> {
  const { rows } = await client.query<{ id: string }>({
    name: 'settlements-under-way',
    values: [tenantId, orderId, settlementId, CLOSED_STATUSES],
    text: `SELECT s.id::text FROM settlements AS s
      JOIN process_states AS p ON p.tenant_id = $1 AND p.process_id = s.id
      WHERE s.tenant_id = $1 AND s.order_id = $2 AND (s.id = $3 OR p.status <> ALL($4::"ProcessStatus"[]))`,
  });
  return rows.map(({ id }) => id);
}

async function insertSettlement(
  client: pg.ClientBase,
  {
    settlement: { tenantId, settlementId, decided },
    ended: { type, id, orderId, payment, shipping, leftOver },
    moves,
  }: { settlement: NewSettlement; ended: Ended; moves: SettlementMoves },
): Promise<void> {
  const data: SettlementData = {
    settled: { type, id },
    moves,
    decided,
    ...(payment === null ? {} : { payment }),
    ...(shipping === null ? {} : { shipping }),
  };
  const { row, start } = newProcess({
    definition: settlementProcess,
    tenantId,
    processId: settlementId,
    data,
    now: decided.at,
  });
  await client.query({
    name: 'insert-settlement',
    text: `
      WITH ${insertProcessesSql(2)}
      INSERT INTO settlements (tenant_id, id, settled_id, order_id, payment, amount_minor, pieces, items, shipment)
      VALUES ($1, $3, $4, $5, $6, $7, $8, $9, $10)`,
    values: [
      tenantId,
      processesParameter([row]),
      settlementId,
      id,
      orderId,
      moves.payment ?? null,
      moves.payment === undefined ? null : leftOver.payment?.amountMinor,
      moves.pieces ?? null,
      JSON.stringify(moves.pieces === undefined ? [] : leftOver.pieces),
      moves.shipment ?? null,
    ],
  });
  await enqueueCalls(client, [start]);
}
