import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose';
import { z } from 'zod';

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
  const folder = join(dataDir, 'keys');
  const file = join(folder, 'jwt-es256.json');
  const { d, ...rest } = storedKey.parse(
    JSON.parse(
      await readFile(file, 'utf8').catch((error: unknown) => {
        if (!isMissing(error)) throw error;
        return create(folder, file);
      }),
    ),
  );
  const privateKey = await importJWK({ ...rest, d }, LOCAL_ALGORITHM);
  if (privateKey instanceof Uint8Array) throw new Error(`${file} holds no private key`);
  return { kid: rest.kid, privateKey, publicJwk: { ...rest, alg: LOCAL_ALGORITHM, use: 'sig' } };
}

// link() is atomic, and fails when another process has made the file first.
async function create(folder: string, file: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { privateKey } = await generateKeyPair(LOCAL_ALGORITHM, { extractable: true });
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify({ ...(await exportJWK(privateKey)), kid: randomUUID() }), {
    mode: 0o600,
    flag: 'wx',
  });
  try {
    await link(draft, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(file, 'utf8');
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
