import type { TenantPool } from '../../postgres/pool.ts';
import { rawTransaction } from '../../postgres/transaction.ts';
import { PROCESS_LETTERS, parkAbandoned } from './park-abandoned.ts';
import type { ProcessKey } from './process-list.ts';
import { eventsAfter, lockProcesses } from './process-rows.ts';

/**
 * Writes the dead letter of an abandoned process that has none: a worker of before has abandoned it while an upgrade
 * went on, or it was discarded and is past its retention.
 */
export function parkMissing(pool: TenantPool, { tenantId, processId }: ProcessKey): Promise<void> {
  return rawTransaction(pool, tenantId, async (client) => {
    const row = (await lockProcesses(client, { tenantId, processIds: [processId] })).get(processId);
    if (row?.state.status !== 'abandoned') return;
    const { rowCount } = await client.query({
      name: 'letter-of-process',
      text: 'SELECT FROM dead_letters WHERE tenant_id = $1 AND source = $2 AND message_id = $3',
      values: [tenantId, PROCESS_LETTERS, processId],
    });
    if (rowCount !== 0) return;
    const { state } = row;
    const [last] = await eventsAfter(client, { tenantId, processId, sequence: state.sequence - 1 });
    const decided = last?.type === 'ProcessAbandoned' ? last.decided : null;
    await parkAbandoned(client, { tenantId, processId, state, decided });
  });
}
