import { localKeys } from '../../src/auth/local-keys.ts';
import { mintToken } from '../../src/auth/tokens.ts';
import { loadConfig } from '../../src/config/config.ts';
import type { World } from './world.ts';

/** Sends a request as an administrator; rejects when there is nobody to answer. */
export type Ask = (
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  json?: object,
  idempotencyKey?: string,
) => Promise<Response>;

/** Makes the API's client, with a token of the world's own key. */
export async function createApiClient({ env, apiUrl }: Pick<World, 'env' | 'apiUrl'>): Promise<Ask> {
  const config = loadConfig(env);
  const token = await mintToken(
    { role: 'admin', subject: 'boss', tenantId: 'default', ttl: '12h' },
    { config, keys: await localKeys(config.DATA_DIR) },
  );
  return (method, path, json, idempotencyKey) =>
    fetch(`${apiUrl}${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }),
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
}
