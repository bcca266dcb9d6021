import type { ClientBase } from 'pg';
import type { Tx } from '../postgres/client.ts';

/** A message by its id, for one consumer. */
export interface InboxKey {
  readonly tenantId: string;
  readonly consumer: string;
  readonly messageId: string;
}

/**
 * Records the message; true the first time. To be called in the transaction of the message's effect, so that both
 * happen or neither.
 */
export async function once(tx: Tx, { tenantId, consumer, messageId }: InboxKey): Promise<boolean> {
  const { count } = await tx.inboxMessage.createMany({
    data: [{ tenantId, consumer, messageId }],
    skipDuplicates: true,
  });
  return count === 1;
}

/** Records the messages and returns the ids that are new: `once` for many. */
export async function firstTimes(
  client: ClientBase,
  { tenantId, consumer, messageIds }: Omit<InboxKey, 'messageId'> & { readonly messageIds: readonly string[] },
): Promise<ReadonlySet<string>> {
  // Sorted, so that two transactions with messages in common cannot wait for each other.
  const { rows } = await client.query<{ id: string }>(
    `
    INSERT INTO inbox_messages (tenant_id, consumer, message_id)
    SELECT $1, $2, id FROM (SELECT DISTINCT unnest($3::text[]) AS id ORDER BY id) AS ids
    ON CONFLICT DO NOTHING RETURNING message_id AS id`,
    [tenantId, consumer, messageIds],
  );
  return new Set(rows.map(({ id }) => id));
}
