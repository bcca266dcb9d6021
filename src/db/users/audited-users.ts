import type { Tx } from '../../postgres/client.ts';
import type { Prisma, User } from '../../postgres/generated/client.ts';
import { readInOrder } from '../../postgres/keyed-page.ts';

/** A user as the audits read it. */
export type AuditedUser = User & { readonly services: readonly { readonly service: string }[] };

/** The next users behind an id, of those that `where` names, in the order of their ids, of every tenant we see. */
export async function auditedUsers(
  tx: Tx,
  {
    where,
    after,
    limit,
  }: { readonly where: Prisma.UserWhereInput; readonly after: string | null; readonly limit: number },
): Promise<AuditedUser[]> {
  await readInOrder(tx);
  return tx.user.findMany({
    where: { ...where, ...(after === null ? {} : { id: { gt: after } }) },
    orderBy: { id: 'asc' },
    take: limit,
    include: { services: { select: { service: true } } },
  });
}
