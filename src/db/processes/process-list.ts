import type { ProcessFilter } from '../../workflows/bulk/bulk-command.messages.ts';
import type { Tx } from '../../postgres/client.ts';
import type { ProcessEvent, ProcessState } from '../../postgres/generated/client.ts';
import { inPageOrder, keyedPage, pageByTime, type KeyedPage, type Place } from '../../postgres/keyed-page.ts';
import { runStatement } from '../../postgres/statement.ts';

export type {
  ProcessEvent as ProcessEventRow,
  ProcessState as ProcessStateRow,
} from '../../postgres/generated/client.ts';
import type { TenantPool } from '../../postgres/pool.ts';

/** Which process of which tenant. */
export interface ProcessKey {
  readonly tenantId: string;
  readonly processId: string;
}

export type ProcessListFilter = Omit<ProcessFilter, 'processIds'>;

/** Which processes, and from where on. */
export interface ProcessListQuery {
  readonly tenantId: string;
  readonly filter: ProcessListFilter;
  /** Where the page before ended. */
  readonly after: Place | undefined;
  readonly limit: number;
}

/** Whether processes with this key, in words, match the filter as far as it is in the key. */
export function isOfFilter([status, type, step]: readonly string[], filter: ProcessListFilter): boolean {
  return (filter.status ?? status) === status && (filter.type ?? type) === type && (filter.step ?? step) === step;
}

/** Where a process stands in the list of a filter: those that have not moved since a time are in the order of it. */
export function placeInList(
  { startedAt, movedAt, processId }: Pick<ProcessState, 'startedAt' | 'movedAt' | 'processId'>,
  { updatedBefore }: ProcessListFilter,
): Place {
  return { at: updatedBefore === undefined ? startedAt : movedAt, id: processId };
}

/** How the list of a filter goes on. */
export function pageOf(
  { filter: { updatedBefore }, after }: Pick<ProcessListQuery, 'filter' | 'after'>,
  order: 'asc' | 'desc',
): Pick<KeyedPage, 'columns' | 'orderBy' | 'conditions' | 'values'> {
  const {
    conditions = [],
    values = [],
    ...page
  } = pageByTime([updatedBefore === undefined ? 'started_at' : 'moved_at', 'process_id'], after, order);
  if (updatedBefore === undefined) return { ...page, conditions, values };
  return {
    ...page,
    conditions: [...conditions, `moved_at < $${values.length + 3}::timestamptz`],
    values: [...values, new Date(updatedBefore)],
  };
}

/** Up to `limit` processes, those first that began, or moved, last. */
export async function listProcesses(tx: Tx, query: ProcessListQuery): Promise<ProcessState[]> {
  const { tenantId, filter, limit } = query;
  const ids = await keyedPage(tx, {
    ...pageOf(query, 'desc'),
    table: 'process_states',
    tenantId,
    matches: (key) => isOfFilter(key, filter),
    limit,
  });
  const rows = await tx.processState.findMany({ where: { tenantId, processId: { in: ids } } });
  return inPageOrder(ids, rows, ({ processId }) => processId);
}

/** The process, without its events. */
export async function findProcess(tx: Tx, { tenantId, processId }: ProcessKey): Promise<ProcessState | null> {
  return await tx.processState.findUnique({ where: { tenantId_processId: { tenantId, processId } } });
}

/** The process with all its events, oldest first. */
export async function findTimeline(
  tx: Tx,
  { tenantId, processId }: ProcessKey,
): Promise<(ProcessState & { events: ProcessEvent[] }) | null> {
  return await tx.processState.findUnique({
    where: { tenantId_processId: { tenantId, processId } },
    include: { events: { orderBy: { sequence: 'asc' } } },
  });
}

/** A place in the events of a process: `after` is the number of the last event that the reader has. */
export interface EventPlace extends ProcessKey {
  readonly after: number;
}

/** An event after a place. */
export interface NextEvent {
  /** Index of the place in the list that was given. */
  readonly place: number;
  readonly sequence: number;
  readonly type: string;
  readonly step: string | null;
  readonly detail: unknown;
  readonly at: Date;
}

/** The next events after each of the places, up to `limit` a place; one statement for the places of each tenant. */
export async function eventsBehind(
  pool: TenantPool,
  places: readonly EventPlace[],
  limit: number,
): Promise<NextEvent[]> {
  const events: NextEvent[] = [];
  const numbered = places.map((each, place) => ({ ...each, place }));
  for (const [tenantId, own] of Map.groupBy(numbered, (each) => each.tenantId))
    events.push(...(await eventsOfTenant(pool, tenantId, { places: own, limit })));
  return events;
}

async function eventsOfTenant(
  pool: TenantPool,
  tenantId: string,
  { places, limit }: { readonly places: readonly (EventPlace & { readonly place: number })[]; readonly limit: number },
): Promise<NextEvent[]> {
  return await runStatement<NextEvent>(pool, tenantId, {
    name: 'events-behind',
    text: `SELECT p.place, e.sequence, e.type, e.step, e.detail, e.at
      FROM unnest($2::uuid[], $3::int[], $5::int[]) AS p (process_id, after, place)
      CROSS JOIN LATERAL (
        SELECT sequence, type, step, detail, at FROM process_events AS e
        WHERE e.tenant_id = $1 AND e.process_id = p.process_id AND e.sequence > p.after ORDER BY e.sequence
          LIMIT $4
      ) AS e ORDER BY p.place, e.sequence`,
    values: [
      tenantId,
      places.map(({ processId }) => processId),
      places.map(({ after }) => after),
      limit,
      places.map(({ place }) => place),
    ],
  });
}
