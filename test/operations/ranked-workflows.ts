import { proxyLocalActivities } from '@temporalio/workflow';

/** Notes that it was served. */
export interface Noting {
  note(name: string): Promise<void>;
}

const { note } = proxyLocalActivities<Noting>({ startToCloseTimeout: '10s' });

/** One workflow task. */
export async function ranked(name: string): Promise<void> {
  await note(name);
}
