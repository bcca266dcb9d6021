import { Client, Connection } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { NativeConnection } from '@temporalio/worker';
import { ensureSearchAttributes } from '../../src/temporal/search-attributes.ts';
import type { Scope } from './scope.ts';
import { fromRunner, temporalAddress } from './services.ts';

const NAMESPACE = 'default';
const KEYWORD = 2;
const DATETIME = 6;

/** An address where nothing listens. */
export const NO_TEMPORAL = '127.0.0.1:1';

/** A Temporal Service as tests use it. */
export interface TestTemporal {
  readonly address: string;
  readonly namespace: string;
  readonly client: Client;
  /** The connection of the workers of this process, for as long as the scope lasts. */
  readonly connect: () => Promise<NativeConnection>;
}

/**
 * The service at an address: without one, the dev server that all test files share, whose workflows continue as new
 * after 200 events.
 */
export function temporalAt(scope: Scope, address = temporalAddress()): TestTemporal {
  const connection = Connection.lazy({ address, connectTimeout: address === NO_TEMPORAL ? 1_000 : 5_000 });
  scope.teardown(() => connection.close());
  let native: Promise<NativeConnection> | undefined;
  return {
    address,
    namespace: NAMESPACE,
    client: new Client({ connection, namespace: NAMESPACE }),
    connect: () => (native ??= connectWorkers(scope, address)),
  };
}

async function connectWorkers(scope: Scope, address: string): Promise<NativeConnection> {
  const connection = await NativeConnection.connect({ address });
  scope.teardown(() => connection.close());
  await ensureSearchAttributes(connection, NAMESPACE);
  return connection;
}

/** A server that skips time, and its clock. */
export interface TimeSkippingTemporal extends TestTemporal {
  readonly env: TestWorkflowEnvironment;
}

/**
 * Starts a time-skipping server with our search attributes. Its clock is one for all who use it: one server a test
 * file. It does not skip while the result of an Update is awaited.
 */
export async function startTimeSkippingTemporal(scope: Scope): Promise<TimeSkippingTemporal> {
  const path = fromRunner('TEST_TIME_SKIPPING_SERVER');
  // The SDK gives the server 5 s, which a busy machine may not have for it at first.
  const start = (tries: number): Promise<TestWorkflowEnvironment> =>
    TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } }).catch(
      (error: unknown) => (tries > 1 ? start(tries - 1) : Promise.reject(error)),
    );
  const env = await start(6);
  scope.teardown(() => env.teardown());
  const namespace = env.namespace ?? NAMESPACE;
  await env.connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: {
      UserStatus: KEYWORD,
      ProfileStatus: KEYWORD,
      ProfileDeadline: DATETIME,
      SyncStatus: KEYWORD,
      ProcessStatus: KEYWORD,
      ProcessStep: KEYWORD,
    },
  });
  return { env, address: '', namespace, client: env.client, connect: async () => env.nativeConnection };
}
