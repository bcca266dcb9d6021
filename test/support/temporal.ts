import { TestWorkflowEnvironment } from '@temporalio/testing';
import { fromRunner } from './services.ts';

const KEYWORD = 2;
const DATETIME = 6;

/**
 * Starts a time-skipping server with our search attributes. Its clock is one for all who use it: one server a test file.
 * It does not skip while the result of an Update is awaited.
 */
export async function createTimeSkippingEnv(): Promise<TestWorkflowEnvironment> {
  const path = fromRunner('TEST_TIME_SKIPPING_SERVER');
  const env = await TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } });
  await env.connection.operatorService.addSearchAttributes({
    namespace: env.namespace ?? 'default',
    searchAttributes: { UserStatus: KEYWORD, ProfileStatus: KEYWORD, ProfileDeadline: DATETIME, SyncStatus: KEYWORD, ProcessStatus: KEYWORD, ProcessStep: KEYWORD },
  });
  return env;
}
