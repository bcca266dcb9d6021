import { choreographedOrderProcess } from '../domain/orders/choreographed-order.ts';
import { decideProcess } from '../domain/process/decide.ts';
import type { ProcessRefusal } from '../domain/process/codes.ts';
import type { TenantPool } from '../postgres/pool.ts';
import { rawTransaction } from '../postgres/transaction.ts';
import { askCancels } from './orders/choreography.ts';
import { lockStreams } from '../messaging/log/lock-streams.ts';
import { lockProcesses } from './processes/process-rows.ts';

/**
 * Has a process cancelled that services carry: the message is on its way, and its status says then what became of it.
 * Answers a refusal where the row says that it comes too late.
 */
export async function cancelByMessage(
  pool: TenantPool,
  { tenantId, processId }: { tenantId: string; processId: string },
  { by = 'unknown', reason, now }: { by?: string | undefined; reason?: string | undefined; now: number },
): Promise<{ readonly code: ProcessRefusal; readonly detail: string } | null> {
  return rawTransaction(pool, tenantId, async (client) => {
    await lockStreams(client, [processId]);
    const row = (await lockProcesses(client, { tenantId, processIds: [processId] })).get(processId);
    if (row === undefined) throw new Error('a process has no row');
    const asked = { command: 'cancel', by, reason: reason ?? null, at: now };
    const decision = decideProcess(choreographedOrderProcess, row.state, { ...asked, type: 'cancel' }, now);
    if (!decision.accepted) return decision.refusal;
    await askCancels(client, { tenantId, orderIds: [processId], asked });
    return null;
  });
}
