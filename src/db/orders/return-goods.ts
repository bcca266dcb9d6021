import { GOODS_RETURNED } from '../../domain/orders/refund-process.ts';
import { callsParameter, enqueueCallsSql } from '../../messaging/outbox/workflow-outbox.ts';
import type { ProcessStateRow } from '../processes/process-list.ts';
import { runStatement } from '../../postgres/statement.ts';
import { signalToProcess } from '../processes/signal-to-process.ts';
import type { TenantPool } from '../../postgres/pool.ts';

/** Writes that the goods of a refund are back and queues the signal to its process, each time it is told. */
export async function returnGoods(
  pool: TenantPool,
  told: Pick<ProcessStateRow, 'tenantId' | 'processId' | 'processType' | 'workflowId'>,
): Promise<void> {
  const { tenantId, processId } = told;
  await runStatement(pool, tenantId, {
    name: 'return-goods',
    text: `WITH told AS (
        UPDATE refunds SET goods_returned_at = coalesce(goods_returned_at, now()) WHERE tenant_id = $1 AND id = $2
      )
      ${enqueueCallsSql(3)}`,
    values: [tenantId, processId, callsParameter([signalToProcess(told, { event: GOODS_RETURNED, payload: {} })])],
  });
}
