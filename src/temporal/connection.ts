import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';

/**
 * A client that connects at its first call, so that a process starts while Temporal is away. Address, namespace, TLS
 * and API key are read by the SDK from its own settings (`TEMPORAL_*`, or its configuration file).
 */
export function createClient(): Client {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const { address, tls, apiKey, metadata } = connectionOptions;
  const connection = Connection.lazy({
    ...(address === undefined ? {} : { address }),
    ...(tls === undefined ? {} : { tls }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(metadata === undefined ? {} : { metadata }),
    connectTimeout: 3_000,
  });
  return new Client({ connection, ...(namespace === undefined ? {} : { namespace }) });
}

/** The worker's connection, which is made at once; a rejection means that Temporal is away. */
export async function connectWorker(): Promise<{ connection: NativeConnection; namespace: string }> {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return { connection: await NativeConnection.connect(connectionOptions), namespace: namespace ?? 'default' };
}
