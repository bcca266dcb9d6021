import { continueAsNew, proxyActivities, setCurrentDetails, setHandler, sleep, workflowInfo } from '@temporalio/workflow';
import type { BulkActivities } from '../activities/bulk.types.ts';
import * as messages from './bulk.messages.ts';

const { countUsers, loadBulkSettings, signalUsers } = proxyActivities<BulkActivities>({
  startToCloseTimeout: '1m', retry: { initialInterval: '1s', maximumInterval: '30s' },
});

const PAGE_SECONDS = 2;

/** Gives a command to every user that matches a filter, so many a second, in the order of their ids. */
export async function bulkCommand(input: messages.BulkInput): Promise<messages.BulkProgress> {
  const { tenantId, filter, command } = input;
  let progress: messages.BulkProgress = input.carried?.progress ?? { state: 'running', matched: 0, signalled: 0 };
  let afterUserId = input.carried?.afterUserId ?? null;
  setHandler(messages.bulkProgressQuery, () => progress);

  const { ratePerSecond } = await loadBulkSettings();
  if (input.carried === undefined) progress = { ...progress, matched: await countUsers({ tenantId, filter }) };
  for (;;) {
    const limit = Math.max(1, Math.round(ratePerSecond * PAGE_SECONDS));
    const { signalled, lastUserId } = await signalUsers({ tenantId, filter, command, afterUserId, limit });
    progress = { ...progress, signalled: progress.signalled + signalled };
    setCurrentDetails(`${command.name}: ${progress.signalled} of ${progress.matched} users`);
    if (lastUserId === null || signalled < limit) break;
    afterUserId = lastUserId;
    await sleep((limit / ratePerSecond) * 1_000);
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof bulkCommand>({ ...input, carried: { afterUserId, progress } });
  }
  progress = { ...progress, state: 'completed' };
  return progress;
}
