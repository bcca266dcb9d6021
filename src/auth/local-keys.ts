import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose';
import { z } from 'zod';
import { readOrMake } from './owned-file.ts';

/** Algorithm of the tokens that the local key signs. */
export const LOCAL_ALGORITHM = 'ES256';

const storedKey = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
  kid: z.string(),
});

/** A key pair for a machine without an identity provider. */
export interface LocalKeys {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/**
 * Reads the key pair under `dataDir`; the first of any number of processes that ask creates it, readable by its owner
 * only.
 */
export async function localKeys(dataDir: string): Promise<LocalKeys> {
  const file = join(dataDir, 'keys', 'jwt-es256.json');
  const { d, ...rest } = storedKey.parse(JSON.parse(await readOrMake(file, newKey)));
  const privateKey = await importJWK({ ...rest, d }, LOCAL_ALGORITHM);
  if (privateKey instanceof Uint8Array) throw new Error(`${file} holds no private key`);
  return { kid: rest.kid, privateKey, publicJwk: { ...rest, alg: LOCAL_ALGORITHM, use: 'sig' } };
}

async function newKey(): Promise<string> {
  const { privateKey } = await generateKeyPair(LOCAL_ALGORITHM, { extractable: true });
  return JSON.stringify({ ...(await exportJWK(privateKey)), kid: randomUUID() });
}
