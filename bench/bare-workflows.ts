import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { drive } from './measure.ts';

/**
 * The baseline: workflows of one activity that does nothing, started from here and awaited, by a worker tuned as ours;
 * per second.
 */
export async function bareWorkflows({
  address,
  count,
  inFlight,
  type = 'bare',
}: {
  address: string;
  count: number;
  inFlight: number;
  type?: 'bare' | 'bareLocal';
}): Promise<number> {
  const connection = await NativeConnection.connect({ address });
  const taskQueue = `bare-${randomUUID()}`;
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('bare-workflow.ts', import.meta.url)),
    activities: { doNothing: async () => {} },
    maxConcurrentWorkflowTaskExecutions: 40,
    maxConcurrentLocalActivityExecutions: 200,
    maxConcurrentActivityTaskExecutions: 200,
    workflowTaskPollerBehavior: { type: 'autoscaling' },
    activityTaskPollerBehavior: { type: 'autoscaling' },
  });
  const client = new Client({ connection });
  const { perSecond } = await worker.runUntil(
    drive(count, inFlight, async () => {
      await client.workflow.execute(type, { taskQueue, workflowId: `bare:${randomUUID()}`, args: [] });
    }),
  );
  await connection.close();
  return perSecond;
}
