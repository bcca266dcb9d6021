import pg from 'pg';
import { PoisonError, type BusMessage } from '../../src/messaging/bus.ts';
import type { Db } from '../../src/postgres/client.ts';
import { firstTimes, once } from '../../src/messaging/inbox.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';

/** Makes the table in which consumers leave a trace. */
export async function createEffects(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(
      `CREATE TABLE effects (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, consumer text, message_id text, key text);
      GRANT SELECT, INSERT ON effects TO steadfast_tenant, steadfast_system`,
    );
  } finally {
    await client.end();
  }
}

/** The effect of a message, once for each consumer however often it is delivered. */
export async function takeEffect(db: Db, consumer: string, { tenantId, messageId, key }: BusMessage): Promise<void> {
  await db.inTenant(tenantId, async (tx) => {
    if (!(await once(tx, { tenantId, consumer, messageId }))) return;
    await tx.$executeRaw`INSERT INTO effects (consumer, message_id, key) VALUES (${consumer}, ${messageId}, ${key})`;
  });
}

/** The effects of several messages of one tenant, in one transaction; of a message that is poison it fails. */
export async function applyEvents(
  db: Db,
  consumer: string,
  messages: readonly BusMessage[],
  poison?: string,
): Promise<void> {
  const [{ tenantId } = { tenantId: '' }] = messages;
  await rawTransaction(db.pool, tenantId, async (client) => {
    const fresh = await firstTimes(client, {
      tenantId,
      consumer,
      messageIds: messages.map(({ messageId }) => messageId),
    });
    for (const { messageId, key } of messages.filter((message) => fresh.has(message.messageId))) {
      if (messageId === poison) throw new PoisonError('malformed_event', 'It is no event.');
      await client.query('INSERT INTO effects (consumer, message_id, key) VALUES ($1, $2, $3)', [
        consumer,
        messageId,
        key,
      ]);
    }
  });
}

/** The message ids a consumer has taken effect of, in order. */
export async function effectsOf(db: Db, consumer: string): Promise<string[]> {
  const { rows } = await db.pool.query<{ message_id: string }>(
    'SELECT message_id FROM effects WHERE consumer = $1 ORDER BY position',
    [consumer],
  );
  return rows.map(({ message_id }) => message_id);
}
