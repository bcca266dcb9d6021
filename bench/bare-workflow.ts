import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';

interface Nothing {
  doNothing(): Promise<void>;
}
const regular = proxyActivities<Nothing>({ startToCloseTimeout: '10s' });
const local = proxyLocalActivities<Nothing>({ startToCloseTimeout: '10s' });

/** The least that a workflow with an effect can be. */
export async function bare(): Promise<void> {
  await regular.doNothing();
}

/** The same with the kind of activity that our processes use. */
export async function bareLocal(): Promise<void> {
  await local.doNothing();
}
