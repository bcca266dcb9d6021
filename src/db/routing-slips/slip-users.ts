import type pg from 'pg';

/** Writes which users a slip is about: once one of them is deleted, what the slip was asked for goes. */
export async function nameSlipUsers(
  client: pg.ClientBase,
  { tenantId, processId }: { readonly tenantId: string; readonly processId: string },
  userIds: readonly string[],
): Promise<void> {
  await client.query({
    name: 'name-slip-users',
    text: `INSERT INTO routing_slip_users (tenant_id, user_id, process_id)
      SELECT $1, user_id, $2 FROM unnest($3::uuid[]) AS given (user_id) ON CONFLICT DO NOTHING`,
    values: [tenantId, processId, [...userIds]],
  });
}
