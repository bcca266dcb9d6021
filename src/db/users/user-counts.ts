import type { ProfileCompletionStatus } from '../../domain/profile/statuses.ts';
import type { SyncStatus } from '../../domain/user-sync/statuses.ts';
import type { Tx } from '../../postgres/client.ts';

/** How many users are at each completion status; deleted ones don't count. */
export async function countByCompletion(
  tx: Tx,
  tenantId: string,
): Promise<Partial<Record<ProfileCompletionStatus, number>>> {
  const groups = await tx.user.groupBy({
    by: ['profileCompletionStatus'],
    where: { tenantId, deletedAt: null },
    _count: true,
  });
  return Object.fromEntries(groups.map(({ profileCompletionStatus, _count }) => [profileCompletionStatus, _count]));
}

/** How many users are at each sync status; deleted ones don't count. */
export async function countBySync(tx: Tx, tenantId: string): Promise<Partial<Record<SyncStatus, number>>> {
  const groups = await tx.user.groupBy({ by: ['syncStatus'], where: { tenantId, deletedAt: null }, _count: true });
  return Object.fromEntries(groups.map(({ syncStatus, _count }) => [syncStatus, _count]));
}
