import { proxyActivities } from '@temporalio/workflow';

const { doNothing } = proxyActivities<{ doNothing(): Promise<void> }>({ startToCloseTimeout: '10s' });

/** The least that a workflow with an effect can be. */
export async function bare(): Promise<void> {
  await doNothing();
}
