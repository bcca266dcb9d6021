import type pg from 'pg';
import { DELIVERED, type DeliveryOutcome } from '../../domain/orders/order-process.ts';
import { isByMessages } from '../../domain/process/registry.ts';
import { isClosed, type ProcessStatus } from '../../domain/process/statuses.ts';
import { enqueueCalls } from '../../messaging/outbox/workflow-outbox.ts';
import { lockStreams } from '../../messaging/log/lock-streams.ts';
import { rawTransaction } from '../../postgres/transaction.ts';
import type { ProcessStateRow } from '../processes/process-list.ts';
import { sayOutcome } from './choreography.ts';
import { signalToProcess } from '../processes/signal-to-process.ts';
import type { TenantPool } from '../../postgres/pool.ts';

type Told = Pick<ProcessStateRow, 'tenantId' | 'processId' | 'processType' | 'workflowId'> & {
  /** What became of the shipment, unless it was delivered. */
  readonly outcome?: DeliveryOutcome;
};

/**
 * `told`: it is in the rows. `not_shipped`: there is no shipment and none is to come, or none yet that could be lost.
 * `known`: something else became of the shipment.
 */
export type Delivery = 'told' | 'not_shipped' | 'known';

/**
 * Writes what became of an order's shipment and queues the signal to its process, each time it is told; a delivery that
 * is told before there is a shipment is kept with the order.
 */
export async function deliverOrder(pool: TenantPool, told: Told): Promise<Delivery> {
  const { tenantId, processId, outcome = 'delivered' } = told;
  return rawTransaction(pool, tenantId, async (client) => {
    const isByMessage = isByMessages(told.processType);
    if (isByMessage) await lockStreams(client, [processId]);
    // The lock holds the step back that makes the shipment: what is told before it is found after it.
    const open = await lockOpen(client, told);
    const [shipment] = await setOutcome(client, { tenantId, processId, outcome });
    if (shipment?.status === outcome) {
      if (isByMessage) await sayOutcome(client, { tenantId, orderId: processId, outcome });
      else if (open !== null)
        await enqueueCalls(client, [
          signalToProcess(told, { event: DELIVERED, payload: outcome === 'delivered' ? {} : { outcome } }),
        ]);
      return 'told';
    }
    if (shipment !== undefined && shipment.status !== 'cancelled') return 'known';
    const isToCome = shipment === undefined && open !== null && !open.isTurnedBack && outcome === 'delivered';
    if (!isToCome) return 'not_shipped';
    await client.query({
      name: 'keep-early-delivery',
      text: `UPDATE orders SET delivery_told_at = coalesce(delivery_told_at, now()) WHERE tenant_id = $1 AND id = $2`,
      values: [tenantId, processId],
    });
    return 'told';
  });
}

/** Locks the process; null: it is over. */
async function lockOpen(
  client: pg.ClientBase,
  { tenantId, processId }: Told,
): Promise<{ readonly isTurnedBack: boolean } | null> {
  const {
    rows: [row],
  } = await client.query<{ status: ProcessStatus; isTurnedBack: boolean }>({
    name: 'lock-delivered-process',
    text: `SELECT status::text, cause IS NOT NULL OR cancelled IS NOT NULL AS "isTurnedBack" FROM process_states
      WHERE tenant_id = $1 AND process_id = $2 FOR NO KEY UPDATE`,
    values: [tenantId, processId],
  });
  return row === undefined || isClosed(row.status) ? null : row;
}

/** The shipment as it is now; only one that is under way changes. */
async function setOutcome(
  client: pg.ClientBase,
  { tenantId, processId, outcome }: { tenantId: string; processId: string; outcome: DeliveryOutcome },
): Promise<readonly { readonly status: string }[]> {
  const { rows } = await client.query<{ status: string }>({
    name: 'deliver-order',
    text: `UPDATE shipments SET
        status = CASE WHEN status = 'accepted' THEN $3::"ShipmentStatus" ELSE status END,
        delivered_at = CASE WHEN status = 'accepted' AND $3 = 'delivered' THEN now() ELSE delivered_at END
      WHERE tenant_id = $1 AND order_id = $2 RETURNING status::text`,
    values: [tenantId, processId, outcome],
  });
  return rows;
}
