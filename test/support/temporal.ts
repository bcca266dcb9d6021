import { TestWorkflowEnvironment } from '@temporalio/testing';
import { fromRunner } from './services.ts';

const KEYWORD = 2;
const DATETIME = 6;

/**
 * Starts a time-skipping server with our search attributes. Its clock is one for all who use it: one server a test
 * file. It does not skip while the result of an Update is awaited.
 */
export async function createTimeSkippingEnv(): Promise<TestWorkflowEnvironment> {
  const path = fromRunner('TEST_TIME_SKIPPING_SERVER');
  // The SDK gives the server 5 s, which a busy machine may not have for it at first.
  const start = (tries: number): Promise<TestWorkflowEnvironment> =>
    TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } }).catch(
      (error: unknown) => (tries > 1 ? start(tries - 1) : Promise.reject(error)),
    );
  const env = await start(6);
  await env.connection.operatorService.addSearchAttributes({
    namespace: env.namespace ?? 'default',
    searchAttributes: {
      UserStatus: KEYWORD,
      ProfileStatus: KEYWORD,
      ProfileDeadline: DATETIME,
      SyncStatus: KEYWORD,
      ProcessStatus: KEYWORD,
      ProcessStep: KEYWORD,
    },
  });
  return env;
}
