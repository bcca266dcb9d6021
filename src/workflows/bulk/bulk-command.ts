import {
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { BulkActivities } from './bulk-command.activities.ts';
import * as messages from './bulk-command.messages.ts';

const { countProcesses, countUsers, loadBulkSettings, signalProcesses, signalUsers } = proxyActivities<BulkActivities>({
  startToCloseTimeout: '1m',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
});

const PAGE_SECONDS = 2;

/** Gives a command to every user or process that matches a filter, so many a second, the oldest first. */
export async function bulkCommand(input: messages.BulkInput): Promise<messages.BulkProgress> {
  let progress: messages.BulkProgress = input.carried?.progress ?? { state: 'running', matched: 0, signalled: 0 };
  let afterId = input.carried?.afterUserId ?? null;
  setHandler(messages.bulkProgressQuery, () => progress);

  const { ratePerSecond } = await loadBulkSettings();
  if (input.carried === undefined) progress = { ...progress, matched: await count(input) };
  for (;;) {
    const limit = Math.max(1, Math.round(ratePerSecond * PAGE_SECONDS));
    const { signalled, lastId } = await signal(input, { afterId, limit });
    progress = { ...progress, signalled: progress.signalled + signalled };
    setCurrentDetails(`${input.command.name}: ${progress.signalled} of ${progress.matched} ${input.target ?? 'users'}`);
    if (lastId === null || signalled < limit) break;
    afterId = lastId;
    await sleep((limit / ratePerSecond) * 1_000);
    if (workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof bulkCommand>({ ...input, carried: { afterUserId: afterId, progress } });
  }
  progress = { ...progress, state: 'completed' };
  return progress;
}

async function count(input: messages.BulkInput): Promise<number> {
  return input.target === 'processes'
    ? countProcesses({ tenantId: input.tenantId, filter: input.filter })
    : countUsers({ tenantId: input.tenantId, filter: input.filter });
}

async function signal(
  input: messages.BulkInput,
  { afterId, limit }: { afterId: string | null; limit: number },
): Promise<{ signalled: number; lastId: string | null }> {
  const { tenantId } = input;
  if (input.target === 'processes') {
    const { signalled, lastProcessId } = await signalProcesses({
      tenantId,
      filter: input.filter,
      command: input.command,
      afterProcessId: afterId,
      limit,
    });
    return { signalled, lastId: lastProcessId };
  }
  const { signalled, lastUserId } = await signalUsers({
    tenantId,
    filter: input.filter,
    command: input.command,
    afterUserId: afterId,
    limit,
  });
  return { signalled, lastId: lastUserId };
}
