import { once } from 'node:events';
import { createServer } from 'node:http';
import test from 'ava';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { assertIdentityProvider } from '../config/auth.ts';
import { loadConfig } from '../config/config.ts';
import { createTokenVerifier, type Verification } from './tokens.ts';

const HOUR_MS = 3_600_000;

async function makeKey(kid: string): Promise<{ privateKey: CryptoKey; jwk: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' } };
}

test('while the identity provider is away known keys go on; what it withdraws ends later', async (t) => {
  const [first, second] = [await makeKey('1'), await makeKey('2')];
  let published: JWK[] | undefined = [first.jwk];
  const server = createServer((_request, response) => {
    if (published === undefined) response.writeHead(503).end();
    else response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys: published }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  let nowMs = Date.now();
  const config = loadConfig({ JWKS_URL: `http://127.0.0.1:${address.port}/keys` });
  const verify = await createTokenVerifier(config, () => nowMs);
  let tokens = 0;
  // Each another token: those that were verified are remembered for a moment.
  const kindOf = async ({ privateKey, jwk }: typeof first): Promise<Verification['kind']> =>
    (
      await verify(
        await new SignJWT({ role: 'user', n: (tokens += 1) })
          .setProtectedHeader({ alg: 'ES256', kid: String(jwk.kid) })
          .setSubject('ada')
          .setIssuer(config.JWT_ISSUER)
          .setAudience(config.JWT_AUDIENCE)
          .setExpirationTime('1h')
          .sign(privateKey),
      )
    ).kind;

  t.is(await kindOf(first), 'caller');
  published = undefined;
  for (let hours = 0; hours < 5; hours += 1) {
    nowMs += HOUR_MS;
    t.is(await kindOf(first), 'caller', `away for ${hours + 1} h`);
  }
  published = [second.jwk];
  for (let looks = 0; looks < 200 && (await kindOf(first)) === 'caller'; looks += 1) nowMs += HOUR_MS;
  t.is(await kindOf(second), 'caller');
  t.not(await kindOf(first), 'caller');
});

test('in production tokens of our own key pair are taken only where that is allowed by name', (t) => {
  const production = { NODE_ENV: 'production' };
  t.throws(() => assertIdentityProvider(loadConfig(production)), { message: /^JWKS_URL: .*ALLOW_LOCAL_KEYS/ });
  t.notThrows(() => assertIdentityProvider(loadConfig({ ...production, ALLOW_LOCAL_KEYS: 'true' })));
  t.notThrows(() => assertIdentityProvider(loadConfig({ ...production, JWKS_URL: 'https://id.example/keys' })));
  t.notThrows(() => assertIdentityProvider(loadConfig({})));
});
