import { syncStatusOf } from '../domain/user-sync/statuses.ts';
import { startUserSync, type SyncPhase, type UserSync, type UserSyncSettings } from '../domain/user-sync/user-sync.ts';
import type { Tx } from './client.ts';
import type { User, UserSyncService } from './generated/client.ts';
import type { WriteOutcome } from './profile-rows.ts';

/** The synchronisation that a user's rows describe; a change that it has not heard of yet is due to be sent. */
function userSyncOfRows(row: User, services: readonly UserSyncService[], settings: UserSyncSettings): UserSync {
  const copies = Object.fromEntries(services.map(({ service, confirmedVersion, failedVersion, lastError, lastSuccessfulSync }) =>
    [service, { confirmedVersion, failedVersion, lastError, lastSuccessAt: lastSuccessfulSync?.getTime() ?? null }]));
  const fresh = startUserSync({ version: row.version, services: [] });
  const isCurrent = row.syncedVersion === row.version;
  return {
    ...fresh, services: copies, lastAttemptAt: row.lastSyncAttempt?.getTime() ?? null,
    ...(isCurrent ? { retryCount: row.syncRetryCount, lastError: row.lastSyncError, phase: phaseOfRow(row, services, settings) } : {}),
  };
}

function phaseOfRow(row: User, services: readonly UserSyncService[], settings: UserSyncSettings): SyncPhase {
  const lastAttemptAt = row.lastSyncAttempt?.getTime() ?? 0;
  switch (row.syncStatus) {
    case 'pending':
    case 'synced': return { kind: 'unsent' }; // settles by itself when nothing is missing
    case 'in_progress':
      return {
        kind: 'awaiting', until: lastAttemptAt + settings.confirmationTimeoutMs,
        targets: services.filter(({ confirmedVersion }) => confirmedVersion !== row.version).map(({ service }) => service),
      };
    case 'retry': return { kind: 'backoff', retryAt: lastAttemptAt };
    case 'failed': return { kind: 'exhausted', resetAt: lastAttemptAt + settings.retryResetMs };
  }
}

/** Reads a user's synchronisation and takes the rows over, as `claimProfile` does. Null: there is no such user, or no longer. */
export async function claimUserSync(
  tx: Tx, { tenantId, userId, settings }: { tenantId: string; userId: string; settings: UserSyncSettings },
): Promise<{ sync: UserSync; revision: number } | null> {
  const [row] = await tx.user.updateManyAndReturn({
    where: { tenantId, id: userId, deletedAt: null }, data: { syncRevision: { increment: 1 } },
  });
  if (row === undefined) return null;
  const services = await tx.userSyncService.findMany({ where: { tenantId, userId } });
  return { sync: userSyncOfRows(row, services, settings), revision: row.syncRevision };
}

/**
 * Writes a synchronisation under its revision, as `writeProfile` does. A version below the workflow's means that the rows
 * were restored: it rises above what was published, so that the next change counts.
 */
export async function writeUserSync(
  tx: Tx, { tenantId, userId, sync, revision, writer }: { tenantId: string; userId: string; sync: UserSync; revision: number; writer: string },
): Promise<{ outcome: WriteOutcome; user: User | null }> {
  await tx.$queryRaw`SELECT id FROM users WHERE tenant_id = ${tenantId} AND id = ${userId}::uuid FOR UPDATE`;
  const before = await tx.user.findFirst({ where: { tenantId, id: userId, deletedAt: null } });
  if (before === null) return { outcome: 'no_user', user: null };
  const isRepeated = before.syncRevision === revision && before.syncWriter === writer;
  if (before.syncRevision >= revision && !isRepeated) return { outcome: 'superseded', user: before };
  const row = await tx.user.update({
    where: { tenantId_id: { tenantId, id: userId } },
    data: {
      ...(before.version < sync.version ? { version: sync.version + 1 } : {}),
      // The row may have moved on since; then nothing of this state is about its version.
      syncStatus: before.version === sync.version ? syncStatusOf(sync) : 'pending', syncRetryCount: sync.retryCount, lastSyncError: sync.lastError, syncedVersion: sync.version,
      lastSyncAttempt: sync.lastAttemptAt === null ? null : new Date(sync.lastAttemptAt), syncRevision: revision, syncWriter: writer,
    },
  });
  const services = Object.entries(sync.services);
  await tx.userSyncService.deleteMany({ where: { tenantId, userId, service: { notIn: services.map(([service]) => service) } } });
  await tx.$executeRaw`
    INSERT INTO user_sync_services (tenant_id, user_id, service, confirmed_version, failed_version, last_error, last_successful_sync)
    SELECT ${tenantId}, ${userId}::uuid, s.service, s.confirmed_version, s.failed_version, s.last_error, s.last_successful_sync
    FROM jsonb_to_recordset(${JSON.stringify(services.map(([service, copy]) => ({
      service, confirmed_version: copy.confirmedVersion, failed_version: copy.failedVersion, last_error: copy.lastError,
      last_successful_sync: copy.lastSuccessAt === null ? null : new Date(copy.lastSuccessAt),
    })))}::jsonb) AS s (service text, confirmed_version int, failed_version int, last_error text, last_successful_sync timestamptz)
    ON CONFLICT (tenant_id, user_id, service) DO UPDATE SET
      confirmed_version = excluded.confirmed_version, failed_version = excluded.failed_version,
      last_error = excluded.last_error, last_successful_sync = excluded.last_successful_sync`;
  return { outcome: isRepeated ? 'repeated' : 'written', user: row };
}
