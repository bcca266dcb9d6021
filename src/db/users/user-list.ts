import type { ProfileCompletionStatus, UserStatus } from '../../domain/profile/statuses.ts';
import type { SyncStatus } from '../../domain/user-sync/statuses.ts';
import type { Tx } from '../../postgres/client.ts';
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

/** Up to `limit` users, newest first, without deleted ones. */
export async function listUsers(tx: Tx, query: UserListQuery): Promise<UserRow[]> {
  const { tenantId, status, profileCompletionStatus, syncStatus, emailPrefix, after, limit } = query;
  return tx.user.findMany({
    where: {
      tenantId,
      deletedAt: null,
      ...(status === undefined ? {} : { status }),
      ...(profileCompletionStatus === undefined ? {} : { profileCompletionStatus }),
      ...(syncStatus === undefined ? {} : { syncStatus }),
      ...(emailPrefix === undefined ? {} : { email: { startsWith: escapeLike(emailPrefix) } }),
      ...(after === undefined
        ? {}
        : {
            createdAt: { lte: after.createdAt }, // lets the index find the place; the rest decides among equals
            OR: [{ createdAt: { lt: after.createdAt } }, { createdAt: after.createdAt, id: { lt: after.id } }],
          }),
    },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: limit,
    include: { services: { orderBy: { service: 'asc' } } },
  });
}

// Prisma hands the text to LIKE as it is.
function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
