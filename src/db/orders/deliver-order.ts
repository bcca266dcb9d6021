import type { Pool } from 'pg';
import { DELIVERED } from '../../domain/orders/order-process.ts';
import { callsParameter, enqueueCallsSql } from '../../messaging/outbox/workflow-outbox.ts';
import type { ProcessStateRow } from '../processes/process-list.ts';
import { runStatement } from '../../postgres/statement.ts';
import { processWorkflowType } from '../../workflows/process/process.messages.ts';

/**
 * Marks the order's shipment as delivered and queues the signal to its process, in one statement; repeated, it changes
 * nothing. False: the warehouse has accepted no shipment of it.
 */
export async function deliverOrder(
  pool: Pool,
  {
    tenantId,
    processId,
    processType,
    workflowId,
  }: Pick<ProcessStateRow, 'tenantId' | 'processId' | 'processType' | 'workflowId'>,
): Promise<boolean> {
  const [shipment] = await runStatement<{ status: string }>(pool, tenantId, {
    name: 'deliver-order',
    text: `
      WITH delivered AS (
        UPDATE shipments SET status = 'delivered', delivered_at = now()
        WHERE tenant_id = $1 AND order_id = $2 AND status = 'accepted' RETURNING status
      ), promised AS (
        ${enqueueCallsSql(3)} WHERE EXISTS (SELECT FROM delivered)
      )
      SELECT status::text FROM shipments WHERE tenant_id = $1 AND order_id = $2`, // as it was before
    values: [
      tenantId,
      processId,
      callsParameter([
        {
          tenantId,
          kind: 'signal_with_start',
          workflowType: processWorkflowType(processType),
          workflowId,
          input: { tenantId, processId },
          signal: { name: DELIVERED, arg: {} },
        },
      ]),
    ],
  });
  return shipment?.status === 'accepted' || shipment?.status === 'delivered';
}
