import { CLOSED_STATUSES, PROCESS_STATUSES, isClosed } from '../../domain/process/statuses.ts';
import type { Tx } from '../../postgres/client.ts';
import type { Prisma, ProcessState } from '../../postgres/generated/client.ts';
import { inPageOrder, keyedPage, matchingKeys, readPlace, writePlace } from '../../postgres/keyed-page.ts';
import { sql } from '../../postgres/sql.ts';
import type { ProcessFilter } from '../../workflows/bulk/bulk-command.messages.ts';
import { isOfFilter, pageOf, placeInList } from './process-list.ts';

/** Which processes that are not over something is about. */
interface OpenProcesses {
  readonly tenantId: string;
  readonly filter: ProcessFilter;
}

/** How many there are. */
export async function countOpenProcesses(tx: Tx, { tenantId, filter }: OpenProcesses): Promise<number> {
  if (filter.processIds !== undefined) return tx.processState.count({ where: whereNamed({ tenantId, filter }) });
  const keys = await matchingKeys(tx, { table: 'process_states', tenantId, matches: isOpenAndOf(filter) });
  const [found] = await sql<{ count: number }>(
    tx,
    `SELECT count(*)::float8 AS count FROM process_states
      WHERE tenant_id = $1 AND list_key = ANY($2::text[]) AND moved_at < $3::timestamptz`,
    [tenantId, keys, filter.updatedBefore === undefined ? 'infinity' : filter.updatedBefore],
  );
  return found?.count ?? 0;
}

/** The next of them behind `after`, and where they end: null, if there are none. */
export async function nextOpenProcesses(
  tx: Tx,
  { tenantId, filter, after, limit }: OpenProcesses & { readonly after: string | null; readonly limit: number },
): Promise<{ readonly processes: ProcessState[]; readonly end: string | null }> {
  if (filter.processIds !== undefined) {
    const processes = await tx.processState.findMany({
      where: { AND: [whereNamed({ tenantId, filter }), after === null ? {} : { processId: { gt: after } }] },
      orderBy: { processId: 'asc' },
      take: limit,
    });
    return { processes, end: processes.at(-1)?.processId ?? null };
  }
  const ids = await keyedPage(tx, {
    ...pageOf({ filter, after: readPlace(after) }, 'asc'),
    table: 'process_states',
    tenantId,
    matches: isOpenAndOf(filter),
    limit,
  });
  const rows = await tx.processState.findMany({ where: { tenantId, processId: { in: ids } } });
  const processes = inPageOrder(ids, rows, ({ processId }) => processId);
  const last = processes.at(-1);
  return { processes, end: last === undefined ? null : writePlace(placeInList(last, filter)) };
}

const isOpenAndOf = (filter: ProcessFilter) => {
  const open = new Set<string>(PROCESS_STATUSES.filter((status) => !isClosed(status)));
  return (key: readonly string[]): boolean => open.has(key[0] ?? '') && isOfFilter(key, filter);
};

function whereNamed({
  tenantId,
  filter: { status, type, step, updatedBefore, processIds = [] },
}: OpenProcesses): Prisma.ProcessStateWhereInput {
  return {
    tenantId,
    processId: { in: [...processIds] },
    AND: [{ status: { notIn: [...CLOSED_STATUSES] } }, ...(status === undefined ? [] : [{ status }])],
    ...(type === undefined ? {} : { processType: type }),
    ...(step === undefined ? {} : { currentStep: step }),
    ...(updatedBefore === undefined ? {} : { movedAt: { lt: new Date(updatedBefore) } }),
  };
}
