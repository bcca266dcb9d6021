import type { Tx } from '../../postgres/client.ts';
import type { User } from '../../postgres/generated/client.ts';
import { readInOrder } from '../../postgres/keyed-page.ts';

/** A user as the audits read it. */
export type AuditedUser = User & { readonly services: readonly { readonly service: string }[] };

/** The next users behind an id, in the order of their ids, of every tenant the transaction sees. */
export async function auditedUsers(
  tx: Tx,
  { after, limit }: { readonly after: string | null; readonly limit: number },
): Promise<AuditedUser[]> {
  await readInOrder(tx);
  return tx.user.findMany({
    where: { deletedAt: null, ...(after === null ? {} : { id: { gt: after } }) },
    orderBy: { id: 'asc' },
    take: limit,
    include: { services: { select: { service: true } } },
  });
}
