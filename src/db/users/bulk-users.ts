import type { Tx } from '../../postgres/client.ts';
import type { Prisma } from '../../postgres/generated/client.ts';
import { inPageOrder, keyedPage, pageByTime, readPlace, writePlace } from '../../postgres/keyed-page.ts';
import type { UserFilter } from '../../workflows/bulk/bulk-command.messages.ts';
import { rowCounts } from '../row-counts.ts';

/** Which users that are not deleted something is about. */
interface FilteredUsers {
  readonly tenantId: string;
  readonly filter: UserFilter;
}

/** How many there are. */
export async function countUsers(tx: Tx, { tenantId, filter }: FilteredUsers): Promise<number> {
  if (filter.userIds !== undefined) return tx.user.count({ where: whereNamed({ tenantId, filter }) });
  const counts = await rowCounts(tx, { tenantId, counted: 'users' });
  return counts.reduce((sum, { key, count }) => (isOfFilter(key.split(' '), filter) ? sum + count : sum), 0);
}

/** The next of them behind `after`, and where they end: null, if there are none. */
export async function nextUsers(
  tx: Tx,
  { tenantId, filter, after, limit }: FilteredUsers & { readonly after: string | null; readonly limit: number },
): Promise<{ readonly users: readonly { readonly id: string }[]; readonly end: string | null }> {
  if (filter.userIds !== undefined) {
    const users = await tx.user.findMany({
      where: { AND: [whereNamed({ tenantId, filter }), after === null ? {} : { id: { gt: after } }] },
      orderBy: { id: 'asc' },
      take: limit,
      select: { id: true },
    });
    return { users, end: users.at(-1)?.id ?? null };
  }
  const ids = await keyedPage(tx, {
    ...pageByTime(['created_at', 'id'], readPlace(after), 'asc'),
    table: 'users',
    tenantId,
    matches: (key) => isOfFilter(key, filter),
    limit,
  });
  const rows = await tx.user.findMany({ where: { tenantId, id: { in: ids } }, select: { id: true, createdAt: true } });
  const users = inPageOrder(ids, rows, ({ id }) => id);
  const last = users.at(-1);
  return { users, end: last === undefined ? null : writePlace({ at: last.createdAt, id: last.id }) };
}

function isOfFilter(
  [status, completion, sync]: readonly string[],
  filter: Pick<UserFilter, 'status' | 'profileCompletionStatus' | 'syncStatus'>,
): boolean {
  return (
    (filter.status ?? status) === status &&
    (filter.profileCompletionStatus ?? completion) === completion &&
    (filter.syncStatus ?? sync) === sync
  );
}

function whereNamed({
  tenantId,
  filter: { status, profileCompletionStatus, syncStatus, userIds = [] },
}: FilteredUsers): Prisma.UserWhereInput {
  return {
    tenantId,
    id: { in: [...userIds] },
    deletedAt: null,
    ...(status === undefined ? {} : { status }),
    ...(profileCompletionStatus === undefined ? {} : { profileCompletionStatus }),
    ...(syncStatus === undefined ? {} : { syncStatus }),
  };
}
