import { z } from 'zod';
import { settleLeftOver } from '../../db/orders/settle-left-over.ts';
import { findProcess } from '../../db/processes/process-list.ts';
import { isClosed } from '../../domain/process/statuses.ts';
import { Problem } from '../http/problem.ts';
import { route, type Route } from '../http/route.ts';
import { id } from '../http/values.ts';
import { commandReason } from '../processes/process-commands.ts';
import { processSchema } from '../processes/process.schemas.ts';
import { readProcess } from '../processes/read-process.ts';

const settlement = z
  .strictObject({
    payment: z.enum(['refund', 'write_off']).optional().meta({
      description: '`refund`: what was taken goes back, what was set aside is given up; `write_off`: nobody pays',
    }),
    pieces: z.enum(['release', 'write_off']).optional().meta({
      description: '`release`: they are in the stock, for anybody; `write_off`: they have left it',
    }),
    shipment: z.enum(['call_back', 'write_off']).optional().meta({
      description: 'Where it is left out, released pieces are called back, and written-off ones leave with it',
    }),
    reason: commandReason,
  })
  .meta({ id: 'NewSettlement', description: 'What is done about each part of `leftOver`; at least one is named' });

const settle = route(
  {
    method: 'post',
    path: '/processes/:id/settle',
    operationId: 'settleProcess',
    tag: 'Processes',
    roles: ['operator', 'admin'],
    summary: 'Settles what a process that is over has left over',
    description: 'A process of its own does it, of type `settlement`: what it could not settle is left over still.',
    params: z.object({ id }),
    body: settlement,
    statuses: { 202: 'The process that settles it' },
    answer: processSchema,
    errors: ['process_not_found', 'process_open', 'nothing_left_over', 'settlement_under_way'],
    idempotent: true,
  },
  async ({
    deps,
    caller: { tenantId, subject: by },
    params: { id: processId },
    body: { reason, ...asked },
    effectId: settlementId,
  }) => {
    const found = await deps.db.inTenant(tenantId, (tx) => findProcess(tx, { tenantId, processId }));
    if (found === null) throw new Problem('process_not_found');
    if (!isClosed(found.status)) throw new Problem('process_open', { detail: `The process is ${found.status}.` });
    const { processType } = found;
    const begun = await settleLeftOver(deps.db.pool, {
      tenantId,
      settlementId,
      settled: { processId, processType },
      asked,
      decided: { command: 'settle', by, reason, at: Date.now() },
    });
    if (begun.kind === 'under_way') throw new Problem('settlement_under_way');
    if (begun.kind === 'not_left') {
      const left = Object.keys(begun.leftOver).join(', ');
      throw new Problem('nothing_left_over', { detail: left === '' ? 'Nothing is left over.' : `Left over: ${left}.` });
    }
    deps.wakeOutboxRelay();
    return {
      status: 202,
      body: await readProcess(deps.db, { tenantId, processId: settlementId }),
      headers: { Location: `/processes/${settlementId}` },
    };
  },
);

/** What operators decide on what is left over. */
export const settlementRoutes: readonly Route[] = [settle];
