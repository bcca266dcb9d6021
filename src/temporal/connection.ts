import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import { temporalEnvironment } from '../config/config.ts';
import { traceCalls } from './tracing.ts';

/**
 * Address, namespace, TLS and API key as the SDK reads them from its own settings: `TEMPORAL_*`, or its configuration
 * file.
 */
export function connectConfig(): ClientConnectConfig {
  return loadClientConnectConfig({ overrideEnvVars: temporalEnvironment() });
}

/** A client that connects at its first call, so that a process starts while Temporal is away. */
export function createClient(): Client {
  const {
    connectionOptions: { address, tls, apiKey, metadata },
    namespace,
  } = connectConfig();
  const connection = Connection.lazy({
    ...(address === undefined ? {} : { address }),
    ...(tls === undefined ? {} : { tls }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(metadata === undefined ? {} : { metadata }),
    connectTimeout: 3_000,
  });
  return new Client({
    connection,
    interceptors: { workflow: [traceCalls] },
    ...(namespace === undefined ? {} : { namespace }),
  });
}
