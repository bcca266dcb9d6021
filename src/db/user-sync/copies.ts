import type { ClientBase } from 'pg';

/** What a confirmation is checked against: the user, and whether the service has a copy. */
export interface CopyRow {
  /** As rows have it, in lower case. */
  readonly userId: string;
  /** The user's current version. */
  readonly version: number;
  readonly isDeleted: boolean;
  /** Whether the service is to have a copy. */
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
    SELECT u.id AS "userId", u.version, u.deleted_at IS NOT NULL AS "isDeleted", s.service IS NOT NULL AS "isKept"
    FROM unnest($2::uuid[], $3::text[]) WITH ORDINALITY AS c (user_id, service, place)
    LEFT JOIN users AS u ON u.tenant_id = $1 AND u.id = c.user_id AND u.id = ANY($2::uuid[])
    LEFT JOIN user_sync_services AS s ON s.tenant_id = $1 AND s.user_id = u.id AND s.service = c.service
      AND s.user_id = ANY($2::uuid[])
    ORDER BY c.place`,
    [tenantId, of.map(({ userId }) => userId), of.map(({ service }) => service)],
  );
  return rows.map((row) => (row.userId === null ? undefined : row));
}
