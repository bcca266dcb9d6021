import type pg from 'pg';
import { abandonmentOf } from '../../domain/process/abandonment.ts';
import type { ProcessCause } from '../../domain/process/codes.ts';
import type { OperatorDecision, ProcessState } from '../../domain/process/state.ts';
import { isoTime } from '../../domain/shared/time.ts';
import { parkDeadLetter } from '../../messaging/dead-letters/dead-letters.ts';

/** Source of the dead letters of abandoned processes; the id of their message is the process's. */
export const PROCESS_LETTERS = 'process';

/**
 * Writes the dead letter of a process that is abandoned, in the transaction that abandons it: where it stood, why, and
 * who left it there. One that was reopened and is abandoned again is parked again.
 */
export async function parkAbandoned(
  client: pg.ClientBase,
  {
    tenantId,
    processId,
    state,
    decided,
  }: {
    tenantId: string;
    processId: string;
    state: ProcessState;
    /** Null: nobody has said so, but the last undo that failed was skipped. */
    decided: OperatorDecision | null;
  },
): Promise<void> {
  const {
    rows: [row],
  } = await client.query<{ type: string; workflowId: string }>({
    name: 'abandoned-process',
    text: `SELECT process_type AS type, workflow_id AS "workflowId" FROM process_states
      WHERE tenant_id = $1 AND process_id = $2`,
    values: [tenantId, processId],
  });
  if (row === undefined) throw new Error('an abandoned process has no row');
  const { status, step, cause, skipped } = abandonmentOf(state);
  const decision = decided ?? skipped;
  const who = decision === null ? '' : ` by ${decision.by}${decision.reason === null ? '' : `: ${decision.reason}`}`;
  await parkDeadLetter(client, {
    tenantId,
    source: PROCESS_LETTERS,
    type: row.type,
    cause: cause?.code ?? ('unexplained' satisfies ProcessCause),
    detail: `Abandoned at ${step}${who}`,
    messageId: processId,
    key: processId,
    payload: JSON.stringify({
      processId,
      ...row,
      status,
      step,
      cause,
      turnedBack: state.cause,
      decided: decision === null ? null : { ...decision, at: isoTime(decision.at) },
    }),
  });
}
