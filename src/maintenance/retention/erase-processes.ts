import { CLOSED_STATUSES } from '../../domain/process/statuses.ts';
import { systemTransaction } from '../../postgres/transaction.ts';
import type { Removal } from './delete-in-batches.ts';
import { changeRows, ERASED, eraseAlerts, isOneOf, removeNaming, type Attempt, type Erased } from './erasure.ts';
import { EXECUTIONS, removeExecutions } from './remove-executions.ts';

const PROCESSES_AT_A_TIME = 100;
const ALERTS_OF_PROCESSES = ['process_parked', 'process_overdue', 'process_stuck'];

interface ErasedProcess extends Erased {
  readonly workflowId: string;
}

const IS_OVER = `status::text IN (${CLOSED_STATUSES.map((status) => `'${status}'`).join(', ')})`;

// The lock: whoever reopens a process has done so before, or promises anew after.
const FORGET_ERASURES = `
  WITH ended AS MATERIALIZED (
    SELECT tenant_id, process_id FROM process_states
    WHERE ${isOneOf('process_states', 'process_id', 'uuid')} AND ${IS_OVER} FOR SHARE)
  DELETE FROM pending_erasures AS e USING ended
  WHERE e.tenant_id = ended.tenant_id AND e.process_id = ended.process_id`;

/**
 * Where people have typed about a process, or about whose order it is. A step, its code, its time and who decided stay;
 * why it was decided, and what a provider said, go. A new table that may hold such a text adds its line.
 */
export const PROCESS_ERASURES: Readonly<
  Record<string, (removal: Removal, processes: readonly ErasedProcess[]) => Promise<void>>
> = {
  process_events: (removal, processes) =>
    changeRows(removal, 'process_events', eraseTextsSql('process_events', ['detail']), processes),
  process_states: (removal, processes) =>
    changeRows(
      removal,
      'process_states',
      eraseTextsSql('process_states', ['data', 'history', 'cause', 'cancelled', 'early', 'last_error']),
      processes,
    ),
  routing_slips: (removal, processes) =>
    changeRows(
      removal,
      'routing_slips',
      `UPDATE routing_slips SET variables = '{}'
        WHERE ${isOneOf('routing_slips', 'process_id', 'uuid')} AND variables <> '{}'`,
      processes,
    ),
  // What an undo needs names nobody.
  routing_slip_legs: (removal, processes) =>
    changeRows(
      removal,
      'routing_slip_legs',
      `UPDATE routing_slip_legs SET arguments = '{}', taken = CASE WHEN taken IS NOT NULL THEN '{}'::jsonb END
        WHERE ${isOneOf('routing_slip_legs', 'process_id', 'uuid')} AND (arguments <> '{}' OR taken <> '{}')`,
      processes,
    ),
  dead_letters: (removal, processes) => removeNaming(removal, 'dead_letters', processes),
  idempotency_keys: (removal, processes) => removeNaming(removal, 'idempotency_keys', processes),
  alerts: (removal, processes) =>
    eraseAlerts(
      removal,
      processes.flatMap(({ tenantId, id }) => ALERTS_OF_PROCESSES.map((kind) => ({ tenantId, id: `${kind}:${id}` }))),
    ),
};

/**
 * Removes what people have typed about the processes of deleted users' orders, and what routing slips were asked for
 * about deleted users (`pending_erasures`), once they are over, some at a time. One is done with when Temporal knows no
 * execution of it either; until then each clean-up repeats.
 */
export async function eraseProcesses(removal: Removal, attempt: Attempt): Promise<void> {
  const failed = new Set<string>();
  let after: Erased | undefined = { tenantId: '', id: '00000000-0000-0000-0000-000000000000' };
  while (after !== undefined) {
    const processes = await endedProcesses(removal, after);
    if (processes.length === 0) return;
    for (const [table, erase] of Object.entries(PROCESS_ERASURES)) {
      if (!failed.has(table) && !(await attempt(table, () => erase(removal, processes)))) failed.add(table);
    }
    const finish = async (): Promise<void> => {
      const workflowIds = processes.map(({ workflowId }) => workflowId);
      const kept = await removeExecutions(removal, workflowIds);
      const gone = processes.filter(({ workflowId }) => !kept.has(workflowId));
      if (failed.size === 0) await changeRows(removal, 'pending_erasures', FORGET_ERASURES, gone);
    };
    if (!failed.has(EXECUTIONS) && !(await attempt(EXECUTIONS, finish))) failed.add(EXECUTIONS);
    after = processes.length < PROCESSES_AT_A_TIME ? undefined : processes.at(-1);
  }
}

async function endedProcesses({ pool }: Removal, after: Erased): Promise<ErasedProcess[]> {
  const { rows } = await systemTransaction(pool, (client) =>
    client.query<ErasedProcess>(
      `
      SELECT e.tenant_id AS "tenantId", e.process_id::text AS id, p.workflow_id AS "workflowId"
      FROM pending_erasures AS e
      JOIN process_states AS p ON p.tenant_id = e.tenant_id AND p.process_id = e.process_id
      WHERE (e.tenant_id, e.process_id) > ($1, $2::uuid) AND p.${IS_OVER}
      ORDER BY e.tenant_id, e.process_id LIMIT ${PROCESSES_AT_A_TIME}`,
      [after.tenantId, after.id],
    ),
  );
  return rows;
}

function eraseTextsSql(table: string, columns: readonly string[]): string {
  const set = columns.map((column) => `${column} = ${withoutTexts(column)}`);
  const differs = columns.map((column) => `${column} IS DISTINCT FROM ${withoutTexts(column)}`);
  return `UPDATE ${table} SET ${set.join(', ')}
    WHERE ${isOneOf(table, 'process_id', 'uuid')} AND (${differs.join(' OR ')})`;
}

/**
 * The JSON with every `reason` and `message` replaced, however deep. PostgreSQL writes a member as `"name": value`, and
 * a quotation mark within a text with a backslash, so that nothing else looks like one.
 */
function withoutTexts(column: string): string {
  const member = String.raw`"(reason|message)": "(?:[^"\\]|\\.)*"`;
  return String.raw`regexp_replace(${column}::text, '${member}', '"\1": "${ERASED}"', 'g')::jsonb`;
}
