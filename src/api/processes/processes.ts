import { z } from 'zod';
import { listProcesses, placeInList } from '../../db/processes/process-list.ts';
import type { ProcessFilter } from '../../workflows/bulk/bulk-command.messages.ts';
import {
  stepName,
  processName,
  processSchema,
  processStatus,
  processSummary,
  processSummarySchema,
} from './process.schemas.ts';
import { readProcess } from './read-process.ts';
import { route, type Route } from '../http/route.ts';
import { id, notEmpty, pageCursor, pageLimit, pageOf, readCursor, writeCursor } from '../http/values.ts';

const OPERATORS = ['operator', 'admin'] as const;
const ages = 'Seconds for which it has had its status and step';

/** Fields by which processes are found, in a query. */
const query = z.strictObject({
  status: processStatus.optional(),
  type: processName.optional(),
  step: stepName.optional().meta({ description: 'Taken, awaited, undone or stuck' }),
  olderThan: z.coerce.number().min(0).max(1e9).optional().meta({ description: ages, example: 300 }),
  limit: pageLimit,
  cursor: pageCursor.optional(),
});

/** Processes that match every given field; an empty filter would be all of them. */
export const processFilter = notEmpty(
  z.strictObject({
    status: processStatus.optional(),
    type: processName.optional(),
    step: stepName.optional(),
    olderThan: z.number().min(0).max(1e9).optional().meta({ description: ages }),
    processIds: z.array(id).min(1).max(1_000).optional(),
  }),
).meta({
  id: 'ProcessFilter',
  description: 'Processes that match every given field; those that are over are left out',
});

/** The filter in the form of the database functions; ages become instants. */
export function toProcessFilter({
  status,
  type,
  step,
  olderThan,
  processIds,
}: Partial<z.output<typeof processFilter>>): ProcessFilter {
  return {
    ...(status === undefined ? {} : { status }),
    ...(type === undefined ? {} : { type }),
    ...(step === undefined ? {} : { step }),
    ...(olderThan === undefined ? {} : { updatedBefore: new Date(Date.now() - olderThan * 1_000).toISOString() }),
    ...(processIds === undefined ? {} : { processIds }),
  };
}

const list = route(
  {
    method: 'get',
    path: '/processes',
    operationId: 'listProcesses',
    tag: 'Processes',
    roles: OPERATORS,
    summary: 'Lists processes, newest first; with `olderThan` those first that moved last',
    query,
    statuses: { 200: 'A page of processes' },
    answer: pageOf(processSummarySchema),
    errors: [],
  },
  async ({ deps, caller: { tenantId }, query: { cursor, limit, ...filter } }) => {
    const asked = toProcessFilter(filter);
    const rows = await deps.db.inTenant(tenantId, (tx) =>
      listProcesses(tx, { tenantId, filter: asked, limit: limit + 1, after: readCursor(cursor) }),
    );
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const nextCursor = rows.length > limit && last !== undefined ? writeCursor(placeInList(last, asked)) : null;
    return { status: 200, body: { items: page.map(processSummary), nextCursor } };
  },
);

const read = route(
  {
    method: 'get',
    path: '/processes/:id',
    operationId: 'getProcess',
    tag: 'Processes',
    roles: OPERATORS,
    summary: 'Reads a process with its whole timeline',
    params: z.object({ id }),
    statuses: { 200: 'The process' },
    answer: processSchema,
    errors: ['process_not_found'],
  },
  async ({ deps, caller: { tenantId }, params: { id: processId } }) => ({
    status: 200,
    body: await readProcess(deps.db, { tenantId, processId }),
  }),
);

/** Lists of processes and their timelines. */
export const processRoutes: readonly Route[] = [list, read];
