import type { ClientBase } from 'pg';
import { sql, type AnyTx } from '../../postgres/sql.ts';

/** What a confirmation is checked against: the user, and whether the service has a copy. */
export interface CopyRow {
  /** As rows have it, in lower case. */
  readonly userId: string;
  /** The user's current version. */
  readonly version: number;
  readonly isDeleted: boolean;
  /** Of a deleted user: nobody is waited for any more. */
  readonly isEnded: boolean;
  /** Whether the service is to have a copy; of a user that is purged, nobody is asked about one. */
  readonly isKept: boolean;
}

/** The copies in the order of `of`; undefined where there is no such user. */
export async function readCopies(
  client: ClientBase,
  {
    tenantId,
    of,
  }: { readonly tenantId: string; readonly of: readonly { readonly userId: string; readonly service: string }[] },
): Promise<(CopyRow | undefined)[]> {
  const { rows } = await client.query<CopyRow & { userId: string | null }>(
    `
    SELECT u.id AS "userId", u.version, u.deleted_at IS NOT NULL AS "isDeleted",
      u.sync_ended_at IS NOT NULL AS "isEnded", s.service IS NOT NULL AND u.purged_at IS NULL AS "isKept"
    FROM unnest($2::uuid[], $3::text[]) WITH ORDINALITY AS c (user_id, service, place)
    LEFT JOIN users AS u ON u.tenant_id = $1 AND u.id = c.user_id AND u.id = ANY($2::uuid[])
    LEFT JOIN user_sync_services AS s ON s.tenant_id = $1 AND s.user_id = u.id AND s.service = c.service
      AND s.user_id = ANY($2::uuid[])
    ORDER BY c.place`,
    [tenantId, of.map(({ userId }) => userId), of.map(({ service }) => service)],
  );
  return rows.map((row) => (row.userId === null ? undefined : row));
}

/** Has services asked again whether they have forgotten deleted users, nobody of whom was waited for any more. */
export async function reopenCopies(tx: AnyTx, { tenantId, userIds }: { tenantId: string; userIds: readonly string[] }) {
  await sql(
    tx,
    `UPDATE users SET sync_ended_at = NULL, sync_ended_by = NULL
      WHERE tenant_id = $1 AND id = ANY($2::uuid[]) AND sync_ended_at IS NOT NULL AND purged_at IS NULL`,
    [tenantId, userIds],
  );
}
