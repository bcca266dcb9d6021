import { syncStatusOf } from '../../domain/user-sync/statuses.ts';
import {
  isOver,
  startUserSync,
  type SyncPhase,
  type UserSync,
  type UserSyncSettings,
} from '../../domain/user-sync/user-sync.ts';
import type { ClientBase } from 'pg';
import type { Tx } from '../../postgres/client.ts';
import { Prisma, type User, type UserSyncService } from '../../postgres/generated/client.ts';
import type { WriteOutcome } from '../profile/profile-rows.ts';
import { columnsOf } from '../../postgres/sql.ts';

/**
 * Versions of one user that a restored database may have lost. A workflow further ahead was told a version that never
 * was; taken for a loss, it would use up the numbers that the column can hold.
 */
const MAX_LOST_VERSIONS = 1_000_000;

/** The synchronisation that a user's rows describe; a version above `synced_version` is still to be published. */
function userSyncOfRows(row: User, services: readonly UserSyncService[], settings: UserSyncSettings): UserSync {
  const copies = Object.fromEntries(
    services.map(({ service, confirmedVersion, failedVersion, lastError, lastSuccessfulSync }) => [
      service,
      { confirmedVersion, failedVersion, lastError, lastSuccessAt: lastSuccessfulSync?.getTime() ?? null },
    ]),
  );
  const fresh = startUserSync({ version: row.version, services: [] });
  const isCurrent = row.syncedVersion === row.version;
  return {
    ...fresh,
    services: copies,
    lastAttemptAt: row.lastSyncAttempt?.getTime() ?? null,
    ...(isCurrent
      ? { retryCount: row.syncRetryCount, lastError: row.lastSyncError, phase: phaseOfRow(row, services, settings) }
      : {}),
    ...(row.deletedAt === null ? {} : { isDeleted: true }),
  };
}

function phaseOfRow(row: User, services: readonly UserSyncService[], settings: UserSyncSettings): SyncPhase {
  const lastAttemptAt = row.lastSyncAttempt?.getTime() ?? 0;
  switch (row.syncStatus) {
    case 'pending':
    case 'synced':
      return { kind: 'unsent' }; // settles by itself when nothing is missing
    case 'in_progress':
      return {
        kind: 'awaiting',
        until: lastAttemptAt + settings.confirmationTimeoutMs,
        targets: services
          .filter(({ confirmedVersion }) => confirmedVersion !== row.version)
          .map(({ service }) => service),
      };
    case 'retry':
      return { kind: 'backoff', retryAt: lastAttemptAt };
    case 'failed':
      return { kind: 'exhausted', resetAt: lastAttemptAt + settings.retryResetMs };
  }
}

/**
 * Reads a user's synchronisation and takes the rows over, as `claimProfile` does. Null: there is no such user, or its
 * copies are all gone.
 */
export async function claimUserSync(
  tx: Tx,
  { tenantId, userId, settings }: { tenantId: string; userId: string; settings: UserSyncSettings },
): Promise<{ sync: UserSync; revision: number } | null> {
  const [row] = await tx.user.updateManyAndReturn({
    where: { tenantId, id: userId, syncEndedAt: null },
    data: { syncRevision: { increment: 1 } },
  });
  if (row === undefined) return null;
  const services = await tx.userSyncService.findMany({ where: { tenantId, userId } });
  return { sync: userSyncOfRows(row, services, settings), revision: row.syncRevision };
}

/**
 * Writes a synchronisation under its revision, as `writeProfile` does. A user's version below the workflow's means that
 * the rows were restored: it is raised above the workflow's, to one that was never published. Throws a `RangeError` for
 * a version that no restore explains.
 */
export async function writeUserSync(
  client: ClientBase,
  {
    tenantId,
    userId,
    sync,
    revision,
    writer,
  }: { tenantId: string; userId: string; sync: UserSync; revision: number; writer: string },
): Promise<{ outcome: WriteOutcome; user: User | null }> {
  const {
    rows: [before],
  } = await client.query<User>(LOCK_USER, [tenantId, userId]);
  if (before === undefined) return { outcome: 'no_user', user: null };
  const isRepeated = before.syncRevision === revision && before.syncWriter === writer;
  if (before.syncRevision >= revision && !isRepeated) return { outcome: 'superseded', user: before };
  if (sync.version - before.version > MAX_LOST_VERSIONS)
    throw new RangeError(`Version ${sync.version} was never published; the row has ${before.version}.`);
  const {
    rows: [user = before],
  } = await client.query<User>(WRITE_SYNC, [
    tenantId,
    userId,
    before.version < sync.version ? sync.version + 1 : before.version,
    // The user may have changed since; then this state is about an older version, and the row keeps its status.
    before.version === sync.version ? syncStatusOf(sync) : 'pending',
    sync.retryCount,
    sync.lastError,
    sync.version,
    sync.lastAttemptAt === null ? null : new Date(sync.lastAttemptAt),
    revision,
    writer,
    JSON.stringify(
      Object.entries(sync.services).map(([service, copy]) => ({
        service,
        confirmed_version: copy.confirmedVersion,
        failed_version: copy.failedVersion,
        last_error: copy.lastError,
        last_successful_sync: copy.lastSuccessAt === null ? null : new Date(copy.lastSuccessAt),
      })),
    ),
    isOver(sync) && before.version === sync.version,
  ]);
  return { outcome: isRepeated ? 'repeated' : 'written', user };
}

const LOCK_USER = `SELECT ${columnsOf('u', Prisma.UserScalarFieldEnum)} FROM users AS u
  WHERE tenant_id = $1 AND id = $2::uuid AND sync_ended_at IS NULL FOR UPDATE`;

const WRITE_SYNC = `
  WITH copy AS (
    SELECT * FROM jsonb_to_recordset($11::jsonb)
      AS s (service text, confirmed_version int, failed_version int, last_error text, last_successful_sync timestamptz)
  ), removed AS (
    DELETE FROM user_sync_services WHERE tenant_id = $1 AND user_id = $2::uuid
      AND service NOT IN (SELECT service FROM copy)
  ), kept AS (
    INSERT INTO user_sync_services (tenant_id, user_id, service, confirmed_version, failed_version, last_error,
      last_successful_sync)
    SELECT $1, $2::uuid, service, confirmed_version, failed_version, last_error, last_successful_sync FROM copy
    ON CONFLICT (tenant_id, user_id, service) DO UPDATE SET
      confirmed_version = excluded.confirmed_version, failed_version = excluded.failed_version,
      last_error = excluded.last_error, last_successful_sync = excluded.last_successful_sync
  ), written AS (
    UPDATE users SET version = $3, sync_status = $4::"SyncStatus", sync_retry_count = $5, last_sync_error = $6,
      synced_version = $7,
      last_sync_attempt = $8, sync_revision = $9, sync_writer = $10, updated_at = now(),
      sync_ended_at = CASE WHEN $12 AND deleted_at IS NOT NULL THEN now() END
    WHERE tenant_id = $1 AND id = $2::uuid RETURNING *
  )
  SELECT ${columnsOf('written', Prisma.UserScalarFieldEnum)} FROM written`;
