import type { Tx } from './client.ts';

/** A message as one consumer knows it. */
export interface InboxKey {
  readonly tenantId: string;
  readonly consumer: string;
  readonly messageId: string;
}

/** True the first time; to be asked in the transaction of the message's effect, so that both happen or neither. */
export async function once(tx: Tx, { tenantId, consumer, messageId }: InboxKey): Promise<boolean> {
  const { count } = await tx.inboxMessage.createMany({ data: [{ tenantId, consumer, messageId }], skipDuplicates: true });
  return count === 1;
}
