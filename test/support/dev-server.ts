import { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { ensureSearchAttributes } from '../../src/temporal/search-attributes.ts';
import { temporalAddress } from './services.ts';

const NAMESPACE = 'default';

/** Connects to the dev server that all test files share; its workflows continue as new after 200 events. */
export async function connectDevServer(): Promise<{ connection: NativeConnection; client: Client; namespace: string }> {
  const connection = await NativeConnection.connect({ address: temporalAddress() });
  await ensureSearchAttributes(connection, NAMESPACE);
  return { connection, client: new Client({ connection, namespace: NAMESPACE }), namespace: NAMESPACE };
}
