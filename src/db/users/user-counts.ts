import { ProfileCompletionStatus, SyncStatus } from '../../postgres/generated/enums.ts';
import type { Tx } from '../../postgres/client.ts';
import { rowCounts, sumCounts, type RowCount } from '../row-counts.ts';

/** How many users are at each completion status; deleted ones don't count. */
export async function countByCompletion(
  tx: Tx,
  tenantId: string,
): Promise<Partial<Record<ProfileCompletionStatus, number>>> {
  const counts = await rowCounts(tx, { tenantId, counted: 'users' });
  return byStatus(
    Object.values(ProfileCompletionStatus),
    sumCounts(counts, ([, profile = '']) => profile),
  );
}

/** How many users are at each sync status; deleted ones don't count. */
export async function countBySync(tx: Tx, tenantId: string): Promise<Partial<Record<SyncStatus, number>>> {
  const counts = await rowCounts(tx, { tenantId, counted: 'users' });
  return byStatus(
    Object.values(SyncStatus),
    sumCounts(counts, ([, , sync = '']) => sync),
  );
}

function byStatus<Status extends string>(
  statuses: readonly Status[],
  counts: readonly RowCount[],
): Partial<Record<Status, number>> {
  const known = new Map(counts.map(({ key, count }) => [key, count]));
  const counted: Partial<Record<Status, number>> = {};
  for (const status of statuses) {
    const count = known.get(status);
    if (count !== undefined) counted[status] = count;
  }
  return counted;
}
