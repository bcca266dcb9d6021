import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';
import { assertIdentityProvider, assertSubjectHash } from '../config/auth.ts';
import { loadConfig } from '../config/config.ts';
import { ROLES } from './roles.ts';
import { ALL_SCOPES } from './scopes.ts';
import { createTokenVerifier, mintToken, type Verification } from './tokens.ts';
import { localKeys } from './local-keys.ts';

const HOUR_MS = 3_600_000;

async function makeKey(kid: string): Promise<{ privateKey: CryptoKey; jwk: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' } };
}

/** Serves keys as an identity provider does; away while there are none. */
async function serveKeys(t: ExecutionContext, keys: () => readonly JWK[] | undefined): Promise<string> {
  const server = createServer((_request, response) => {
    const published = keys();
    if (published === undefined) response.writeHead(503).end();
    else response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys: published }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}/keys`;
}

/** What becomes of tokens of an identity provider that say `claims`. */
async function verdicts(t: ExecutionContext): Promise<(claims: JWTPayload) => Promise<Verification>> {
  const { privateKey, jwk } = await makeKey('1');
  const config = loadConfig({ JWKS_URL: await serveKeys(t, () => [jwk]) });
  const verify = await createTokenVerifier(config);
  return async (claims) =>
    verify(
      await new SignJWT({ sub: 'machines', iss: config.JWT_ISSUER, aud: config.JWT_AUDIENCE, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: '1' })
        .setExpirationTime('1h')
        .sign(privateKey),
    );
}

test('while the identity provider is away known keys go on; what it withdraws ends later', async (t) => {
  const [first, second] = [await makeKey('1'), await makeKey('2')];
  let published: JWK[] | undefined = [first.jwk];
  const url = await serveKeys(t, () => published);
  let nowMs = Date.now();
  const config = loadConfig({ JWKS_URL: url });
  const verify = await createTokenVerifier(config, () => nowMs);
  let tokens = 0;
  // Each another token: those that were verified are remembered for a moment.
  const kindOf = async ({ privateKey, jwk }: typeof first): Promise<Verification['kind']> =>
    (
      await verify(
        await new SignJWT({ role: 'user', tenant: 'here', n: (tokens += 1) })
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

test('in production no key of our own is used, for tokens or hashes, unless that is allowed by name', (t) => {
  const production = { NODE_ENV: 'production', SUBJECT_HASH_SECRET: 's'.repeat(32) };
  t.throws(() => assertIdentityProvider(loadConfig(production)), { message: /^JWKS_URL: .*ALLOW_LOCAL_KEYS/ });
  t.notThrows(() => assertIdentityProvider(loadConfig({ ...production, ALLOW_LOCAL_KEYS: 'true' })));
  t.notThrows(() => assertIdentityProvider(loadConfig({ ...production, JWKS_URL: 'https://id.example/keys' })));
  t.notThrows(() => assertIdentityProvider(loadConfig({})));
  const unhashed = { NODE_ENV: 'production', JWKS_URL: 'https://id.example/keys' };
  t.throws(() => assertIdentityProvider(loadConfig(unhashed)), { message: /^SUBJECT_HASH_SECRET: .*ALLOW_LOCAL_KEYS/ });
  t.throws(() => assertSubjectHash(loadConfig(unhashed)), { message: /^SUBJECT_HASH_SECRET: .*ALLOW_LOCAL_KEYS/ });
  t.notThrows(() => assertSubjectHash(loadConfig(production)));
  t.throws(() => loadConfig({ SUBJECT_HASH_SECRET: 'short' }), { message: /^SUBJECT_HASH_SECRET: .*not shown/ });
});

const ANY_VALUE: readonly unknown[] = [
  undefined,
  null,
  '',
  ' ',
  '*',
  'A B',
  7,
  true,
  {},
  [],
  ['here'],
  'x'.repeat(300),
  'a\0b',
];

test('a token of an identity provider is refused for every claim that is missing or unusable', async (t) => {
  const verdictOn = await verdicts(t);
  const service = { role: 'service', tenant: 'here', service: 'accounting', scope: 'users:read' };
  t.like(await verdictOn(service), { kind: 'caller', caller: { tenantId: 'here', service: 'accounting' } });
  for (const claim of ['tenant', 'service', 'role'])
    for (const value of [...ANY_VALUE, 'Accounting!', '__proto__']) {
      const verdict = await verdictOn({ ...service, [claim]: value });
      t.is(verdict.kind, 'unusable', `${claim} ${JSON.stringify(value)}`);
      t.true('reason' in verdict && verdict.reason.includes(`"${claim}"`));
    }
  for (const sub of ['', 'x'.repeat(300), 'a\0b']) t.is((await verdictOn({ ...service, sub })).kind, 'unusable', sub);
  for (const scope of [7, null, true, {}, [7], [['users:read']]])
    for (const name of ['scope', 'scp'])
      t.is((await verdictOn({ ...service, [name]: scope })).kind, 'unusable', `${name} ${JSON.stringify(scope)}`);
});

test('of roles other than service neither a service nor scopes are asked for', async (t) => {
  const verdictOn = await verdicts(t);
  for (const role of ROLES.filter((each) => each !== 'service'))
    t.deepEqual(await verdictOn({ role, tenant: 'here', scope: 7, service: [] }).then(callerIn), {
      subject: 'machines',
      role,
      tenantId: 'here',
    });
});

test('the scopes of a service are what both of its claims name, of those that we know', async (t) => {
  const verdictOn = await verdicts(t);
  const scopesOf = async (claims: JWTPayload) => {
    const caller = callerIn(await verdictOn({ role: 'service', tenant: 'here', service: 'crm', ...claims }));
    return caller?.role === 'service' ? caller.scopes : undefined;
  };
  t.deepEqual(await scopesOf({}), []);
  t.deepEqual(await scopesOf({ scope: '' }), []);
  t.deepEqual(await scopesOf({ scope: 'openid users:read  users:reads USERS:WRITE constructor' }), ['users:read']);
  t.deepEqual(await scopesOf({ scope: 'users:read', scp: ['sync:confirm', 'users:read'] }), [
    'users:read',
    'sync:confirm',
  ]);
});

test('a token with several roles counts as the first of them', async (t) => {
  const verdictOn = await verdicts(t);
  const both = await verdictOn({ role: ['operator', 'service', 'admin'], tenant: 'here' });
  t.is(callerIn(both)?.role, 'admin');
});

test('a token of our own key pair goes without a tenant, and holds what it was minted with', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'steadfast-tokens-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const config = loadConfig({ DATA_DIR: dataDir, DEFAULT_TENANT: 'home' });
  const keys = await localKeys(dataDir);
  const verify = await createTokenVerifier(config);
  const bare = new SignJWT({ role: 'user', sub: 'ada', iss: config.JWT_ISSUER, aud: config.JWT_AUDIENCE })
    .setProtectedHeader({ alg: 'ES256', kid: keys.kid })
    .setExpirationTime('1h');
  t.is(callerIn(await verify(await bare.sign(keys.privateKey)))?.tenantId, 'home');
  const caller = {
    subject: 'machines',
    role: 'service',
    tenantId: 'here',
    service: 'crm',
    scopes: ALL_SCOPES,
  } as const;
  t.deepEqual(callerIn(await verify(await mintToken({ ...caller, ttl: '1h' }, { config, keys }))), caller);
});

function callerIn(verification: Verification) {
  return verification.kind === 'caller' ? verification.caller : undefined;
}
