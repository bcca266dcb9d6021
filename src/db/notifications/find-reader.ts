import type { Tx } from '../../postgres/client.ts';
import type { User } from '../../postgres/generated/client.ts';

/** Of a user, what addresses and words depend on. */
export type Reader = Pick<User, 'email' | 'phone' | 'name' | 'locale' | 'notificationChannels'>;

/** Whom to tell; null: there is no such user any more. */
export async function findReader(
  tx: Tx,
  { tenantId, userId }: { tenantId: string; userId: string },
): Promise<Reader | null> {
  return tx.user.findFirst({
    where: { tenantId, id: userId, deletedAt: null },
    select: { email: true, name: true, locale: true, phone: true, notificationChannels: true },
  });
}
