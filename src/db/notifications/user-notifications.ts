import type { Tx } from '../../postgres/client.ts';
import type { Notification } from '../../postgres/generated/client.ts';

/** Notifications about a user, newest first; without `toUserOnly` also those to administrators. */
export async function listUserNotifications(
  tx: Tx,
  {
    tenantId,
    userId,
    toUserOnly,
    after,
    limit,
  }: {
    readonly tenantId: string;
    readonly userId: string;
    readonly toUserOnly: boolean;
    readonly after: { readonly at: Date; readonly id: string } | undefined;
    readonly limit: number;
  },
): Promise<Notification[]> {
  return tx.notification.findMany({
    where: {
      tenantId,
      userId,
      ...(toUserOnly ? { toUser: true } : {}),
      ...(after === undefined
        ? {}
        : { OR: [{ createdAt: { lt: after.at } }, { createdAt: after.at, id: { lt: after.id } }] }),
    },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: limit,
  });
}
