import { NativeConnection } from '@temporalio/worker';
import { connectConfig } from './connection.ts';

/**
 * The worker's connection, which is made at once; a rejection means that Temporal is away or refuses us:
 * `isTemporalAway` tells.
 */
export async function connectWorker(): Promise<{ connection: NativeConnection; namespace: string }> {
  const { connectionOptions, namespace } = connectConfig();
  return { connection: await NativeConnection.connect(connectionOptions), namespace: namespace ?? 'default' };
}
