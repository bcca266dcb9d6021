import { Context } from '@temporalio/activity';
import { alertChannels } from '../alerts/channels.ts';
import type { Config } from '../config/config.ts';
import { raiseAlert } from '../db/alerts/raise-alert.ts';
import type { AlertKind } from '../domain/alerts/codes.ts';
import type { Db } from '../postgres/client.ts';
import { isUnstorable } from '../postgres/errors.ts';

/**
 * Writes a step; one that leads to a row that can't be raises an alert and answers `dropped` instead of being tried for
 * ever. Every other error is thrown, and tried again.
 */
export async function unlessUnstorable<Result extends object>(
  { db, config }: { db: Db; config: Config },
  tenantId: string,
  dropped: Result,
  write: () => Promise<Result>,
): Promise<Result & { readonly isUnstorable?: boolean }> {
  try {
    return await write();
  } catch (error) {
    if (!isUnstorable(error)) throw error;
    const workflowId = Context.current().info.workflowExecution?.workflowId ?? '';
    const reason = error instanceof Error ? error.message.trim().slice(-300) : 'unknown';
    await db.inTenant(tenantId, (tx) =>
      raiseAlert(
        tx,
        {
          tenantId,
          kind: 'step_not_saved' satisfies AlertKind,
          key: workflowId,
          severity: 'warning',
          summary: `A step of ${workflowId} can not be saved and was dropped: ${reason}`,
          details: { workflowId, reason },
        },
        alertChannels(config),
      ),
    );
    return { ...dropped, isUnstorable: true };
  }
}
