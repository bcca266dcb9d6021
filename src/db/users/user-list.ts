import type { ProfileCompletionStatus, UserStatus } from '../../domain/profile/statuses.ts';
import type { SyncStatus } from '../../domain/user-sync/statuses.ts';
import type { Tx } from '../../postgres/client.ts';
import { inPageOrder, keyedPage, pageByTime, type KeyedPage } from '../../postgres/keyed-page.ts';
import type { UserRow } from './users.ts';

/** Where a page ends: the next one begins after it. */
export interface UserPosition {
  readonly createdAt: Date;
  readonly id: string;
}

/** Which users, and from where on. */
export interface UserListQuery {
  readonly tenantId: string;
  readonly status?: UserStatus | undefined;
  readonly profileCompletionStatus?: ProfileCompletionStatus | undefined;
  readonly syncStatus?: SyncStatus | undefined;
  /** In lower case, as addresses are stored. */
  readonly emailPrefix?: string | undefined;
  readonly after?: UserPosition | undefined;
  readonly limit: number;
}

/** Behind every address with a prefix, once it is added to it. */
const LAST_CHARACTER = '\u{10FFFF}';

/** Up to `limit` users without deleted ones, newest first; those with a prefix of the address in its order. */
export async function listUsers(tx: Tx, query: UserListQuery): Promise<UserRow[]> {
  const { tenantId, status, profileCompletionStatus, syncStatus, emailPrefix, after, limit } = query;
  const asked = [status, profileCompletionStatus, syncStatus];
  const ids = await keyedPage(tx, {
    table: 'users',
    tenantId,
    matches: (key) => asked.every((word, place) => word === undefined || word === key[place]),
    ...(emailPrefix === undefined
      ? pageByTime(['created_at', 'id'], after && { at: after.createdAt, id: after.id })
      : pageByAddress(emailPrefix, after && (await addressOf(tx, { tenantId, ...after })))),
    limit,
  });
  const rows = await tx.user.findMany({
    where: { tenantId, id: { in: ids }, deletedAt: null },
    include: { services: { orderBy: { service: 'asc' } } },
  });
  return inPageOrder(ids, rows, ({ id }) => id);
}

// `LIKE` may tell what it sees, so below a policy no index serves it; these operators do not.
function pageByAddress(
  prefix: string,
  after: { readonly email: string; readonly id: string } | undefined,
): Pick<KeyedPage, 'columns' | 'orderBy' | 'conditions' | 'values'> {
  const end = `${prefix}${LAST_CHARACTER}`;
  const isPast = after !== undefined && after.email.startsWith(prefix);
  return {
    columns: ['email', 'id'],
    orderBy: 'first USING ~<~, id',
    conditions: ['email ~>=~ $3', 'email ~<~ $4', ...(isPast ? ['(email ~>~ $3 OR id > $5::uuid)'] : [])],
    values: isPast ? [after.email, end, after.id] : [prefix, end],
  };
}

/** Where the last user of a page stands now; one that was deleted since is nowhere, and the list begins anew. */
async function addressOf(tx: Tx, { tenantId, id }: { tenantId: string; id: string }) {
  return (
    (await tx.user.findUnique({ where: { tenantId_id: { tenantId, id } }, select: { email: true, id: true } })) ??
    undefined
  );
}
