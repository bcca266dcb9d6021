import type { z } from 'zod';
import type { Db } from '../../postgres/client.ts';
import { rawTransaction } from '../../postgres/transaction.ts';
import { findEnded } from '../../db/left-overs.ts';
import { findTimeline, type ProcessKey, type ProcessStateRow } from '../../db/processes/process-list.ts';
import { isClosed } from '../../domain/process/statuses.ts';
import type { Call } from '../http/route.ts';
import { Problem } from '../http/problem.ts';
import type { leftOverSchema } from './left-over.schema.ts';
import { processAnswer, type processSchema } from './process.schemas.ts';

/** The process as answers have it, with what it has left over. */
export async function readProcess(db: Db, key: ProcessKey): Promise<z.input<typeof processSchema>> {
  const row = await db.inTenant(key.tenantId, (tx) => findTimeline(tx, key));
  if (row === null) throw new Problem('process_not_found');
  return processAnswer(row, await readLeftOver(db, row));
}

/** What the order or refund of a process has left over, for its answer; no field when that is nothing. */
export async function leftOverField(
  { deps, caller: { tenantId } }: Pick<Call, 'deps' | 'caller'>,
  { id, type, status }: Pick<ProcessStateRow, 'status'> & { readonly id: string; readonly type: string },
): Promise<{ leftOver?: z.input<typeof leftOverSchema> }> {
  const leftOver = await readLeftOver(deps.db, { tenantId, processId: id, processType: type, status });
  return Object.keys(leftOver).length === 0 ? {} : { leftOver };
}

/** What a process has left over; nothing, as long as it is not over. */
async function readLeftOver(
  { pool }: Pick<Db, 'pool'>,
  ended: Pick<ProcessStateRow, 'tenantId' | 'processId' | 'processType' | 'status'>,
): Promise<z.input<typeof leftOverSchema>> {
  if (!isClosed(ended.status)) return {};
  const found = await rawTransaction(pool, ended.tenantId, (client) => findEnded(client, ended));
  const { pieces, ...rest } = found?.leftOver ?? {};
  return { ...rest, ...(pieces === undefined ? {} : { pieces: [...pieces] }) };
}
