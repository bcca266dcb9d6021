import type pg from 'pg';

/** Those of the users who are there and have not completed their profiles, which they can't as long as this locks. */
export async function incompleteUsers(
  client: pg.ClientBase,
  { tenantId, userIds }: { readonly tenantId: string; readonly userIds: readonly string[] },
): Promise<readonly string[]> {
  const { rows } = await client.query<{ id: string }>({
    name: 'incomplete-users',
    text: `SELECT id FROM users
      WHERE tenant_id = $1 AND id = ANY($2::uuid[]) AND deleted_at IS NULL AND profile_completed_at IS NULL
      ORDER BY id FOR UPDATE`,
    values: [tenantId, [...userIds]],
  });
  return rows.map(({ id }) => id);
}
