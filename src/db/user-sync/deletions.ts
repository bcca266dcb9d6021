import type { SyncStatus } from '../../domain/user-sync/statuses.ts';
import { enqueueCalls } from '../../messaging/outbox/workflow-outbox.ts';
import type { SystemDb, Tx } from '../../postgres/client.ts';
import { sql } from '../../postgres/sql.ts';
import {
  USER_SYNC_WORKFLOW,
  userDeletedSyncSignal,
  userSyncWorkflowId,
} from '../../workflows/user-sync/user-sync.messages.ts';
import type { UserKey } from '../users/users.ts';

/** Deletions looked at for an alert; of more than these the oldest count. */
const LOOKED_AT = 10_000;

/**
 * Waits no longer for services to confirm the deletion of a user: ends its workflow; `not_deleted`: there is such a
 * user; undefined: there never was, or nothing is kept of it any more.
 */
export async function endDeletion(
  tx: Tx,
  { tenantId, userId }: UserKey,
  by: { readonly operator: string; readonly now: Date },
): Promise<'ended' | 'not_deleted' | undefined> {
  const { count } = await tx.user.updateMany({
    where: { tenantId, id: userId, deletedAt: { not: null }, syncEndedAt: null },
    data: { syncEndedAt: by.now, syncEndedBy: by.operator },
  });
  const row = await tx.user.findFirst({
    where: { tenantId, id: userId, purgedAt: null },
    select: { deletedAt: true },
  });
  if (row === null) return undefined;
  if (row.deletedAt === null) return 'not_deleted';
  if (count > 0)
    await enqueueCalls(tx, [
      {
        tenantId,
        kind: 'signal',
        workflowType: USER_SYNC_WORKFLOW,
        workflowId: userSyncWorkflowId(userId),
        signal: { name: userDeletedSyncSignal.name },
      },
    ]);
  return 'ended';
}

/** How many deletions of a tenant are not confirmed, by what their synchronisation waits for. */
export async function countUnconfirmedDeletions(
  tx: Tx,
  tenantId: string,
): Promise<Partial<Record<SyncStatus, number>>> {
  const counts = await sql<{ status: SyncStatus; count: number }>(
    tx,
    `SELECT sync_status::text AS status, count(*)::int AS count FROM users
      WHERE tenant_id = $1 AND deleted_at IS NOT NULL AND sync_ended_at IS NULL GROUP BY sync_status`,
    [tenantId],
  );
  const counted: Partial<Record<SyncStatus, number>> = {};
  for (const { status, count } of counts) counted[status] = count;
  return counted;
}

/** What one service of one tenant has not confirmed. */
export interface SilentService {
  readonly tenantId: string;
  readonly service: string;
  readonly deletions: number;
  readonly oldest: Date;
  /** The user whose deletion is the oldest. */
  readonly userId: string;
}

/** The services that have not confirmed deletions of `minutes` ago and before, each with how many. */
export async function servicesWithoutConfirmation(
  system: SystemDb,
  minutes: number,
): Promise<readonly SilentService[]> {
  return system.acrossTenants((tx) =>
    sql<SilentService>(
      tx,
      `WITH late AS MATERIALIZED (
        SELECT tenant_id, id, version, deleted_at FROM users
        WHERE deleted_at < now() - make_interval(secs => $1::float8 * 60) AND deleted_at IS NOT NULL
          AND sync_ended_at IS NULL
        ORDER BY deleted_at LIMIT ${LOOKED_AT})
      SELECT late.tenant_id AS "tenantId", s.service, count(*)::int AS deletions, min(late.deleted_at) AS oldest,
        (array_agg(late.id::text ORDER BY late.deleted_at))[1] AS "userId"
      FROM late CROSS JOIN LATERAL (SELECT service FROM user_sync_services AS copy
        WHERE copy.tenant_id = late.tenant_id AND copy.user_id = late.id
          AND copy.confirmed_version <> late.version) AS s
      GROUP BY late.tenant_id, s.service`,
      [minutes],
    ),
  );
}
