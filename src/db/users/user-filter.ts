import type { UserFilter } from '../../workflows/bulk/bulk-command.messages.ts';
import type { Prisma } from '../../postgres/generated/client.ts';

/** The rows that a filter is about: users of the tenant that match every given field and are not deleted. */
export function whereUsers(
  tenantId: string,
  { status, profileCompletionStatus, syncStatus, userIds }: UserFilter,
): Prisma.UserWhereInput {
  return {
    tenantId,
    deletedAt: null,
    ...(status === undefined ? {} : { status }),
    ...(profileCompletionStatus === undefined ? {} : { profileCompletionStatus }),
    ...(syncStatus === undefined ? {} : { syncStatus }),
    ...(userIds === undefined ? {} : { id: { in: [...userIds] } }),
  };
}
