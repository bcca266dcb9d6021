import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  jwtVerify,
  SignJWT,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import type { Config } from '../config/config.ts';
import { LOCAL_ALGORITHM, localKeys, type LocalKeys } from './local-keys.ts';
import { isServiceName } from '../domain/shared/service-name.ts';
import { isTenantName } from '../domain/shared/tenant.ts';
import { isStorableText } from '../domain/shared/text.ts';
import { ROLES, type Caller, type Role } from './roles.ts';
import { scopesIn } from './scopes.ts';
import { createTokenCache, type KnownCaller } from './token-cache.ts';

/**
 * The outcome of verifying a token. `unusable`: it is ours, but says too little of its bearer. `unreachable`: the keys
 * could not be fetched, so it is neither valid nor invalid.
 */
export type Verification =
  | ({ readonly kind: 'caller' } & KnownCaller)
  | { readonly kind: 'invalid' | 'unusable'; readonly reason: string }
  | { readonly kind: 'unreachable' };

export type TokenVerifier = (token: string) => Promise<Verification>;

type TokenSettings = Pick<
  Config,
  | 'JWKS_URL'
  | 'DATA_DIR'
  | 'JWT_ISSUER'
  | 'JWT_AUDIENCE'
  | 'JWT_ROLE_CLAIM'
  | 'JWT_TENANT_CLAIM'
  | 'JWT_SERVICE_CLAIM'
  | 'DEFAULT_TENANT'
>;

const ALGORITHMS = ['ES256', 'ES384', 'EdDSA', 'Ed25519', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
/** How often the keys of the identity provider are fetched again. */
const REFRESH_MS = 5 * 60_000;
/** For so long after its end a token is accepted, since clocks differ. */
const CLOCK_TOLERANCE_S = 5;
const MAX_SUBJECT_LENGTH = 255;

/** Verifies tokens with the keys at JWKS_URL or, without one, with the key pair under DATA_DIR. */
export async function createTokenVerifier(config: TokenSettings, now: () => number = Date.now): Promise<TokenVerifier> {
  const keys: JWTVerifyGetKey =
    config.JWKS_URL === undefined
      ? createLocalJWKSet({ keys: [(await localKeys(config.DATA_DIR)).publicJwk] })
      : remoteKeys(config.JWKS_URL, now);
  const options = {
    issuer: config.JWT_ISSUER,
    audience: config.JWT_AUDIENCE,
    algorithms: ALGORITHMS,
    requiredClaims: ['sub', 'exp'],
    clockTolerance: CLOCK_TOLERANCE_S,
  };
  const cache = createTokenCache();
  return async (token) => {
    const known = cache.get(token);
    if (known !== undefined) return { kind: 'caller', ...known };
    try {
      const { payload } = await jwtVerify(token, keys, options);
      const verification = callerOf(payload, config);
      if (verification.kind === 'caller') cache.set(token, verification);
      return verification;
    } catch (error) {
      if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) return { kind: 'unreachable' };
      // jose reports an unusable answer of the JWKS endpoint with its base class.
      if (error.code === 'ERR_JOSE_GENERIC') return { kind: 'unreachable' };
      return {
        kind: 'invalid',
        reason: error instanceof errors.JWTExpired ? 'The token has expired.' : 'The token is not valid.',
      };
    }
  };
}

/**
 * The keys of an identity provider. Those that are known hold for as long as it is away, and are fetched again in the
 * background; a key that is not known is asked for at once.
 */
function remoteKeys(url: string, now: () => number): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(new URL(url), { timeoutDuration: 3_000, cacheMaxAge: Infinity });
  let askedAtMs = now();
  return async (header, token) => {
    if (now() - askedAtMs > REFRESH_MS) {
      askedAtMs = now();
      if (keys.jwks() !== undefined) void keys.reload().catch(() => undefined); // the next one tries again
    }
    return keys(header, token);
  };
}

function callerOf(payload: JWTPayload, config: TokenSettings): Verification {
  const { sub: subject, exp = 0 } = payload;
  const { JWT_TENANT_CLAIM, JWT_ROLE_CLAIM, JWT_SERVICE_CLAIM } = config;
  const tenantId = payload[JWT_TENANT_CLAIM] ?? defaultTenant(config);
  const role = strongestRole(payload[JWT_ROLE_CLAIM]);
  if (subject === undefined || !isUsableSubject(subject)) return unusable('The token names no usable subject.');
  if (typeof tenantId !== 'string' || !isTenantName(tenantId))
    return unusable(`The token's claim "${JWT_TENANT_CLAIM}" names no tenant.`);
  if (role === undefined) return unusable(`The token's claim "${JWT_ROLE_CLAIM}" holds none of our roles.`);
  const expiresAtMs = (exp + CLOCK_TOLERANCE_S) * 1_000;
  if (role !== 'service') return { kind: 'caller', caller: { subject, role, tenantId }, expiresAtMs };
  const service = payload[JWT_SERVICE_CLAIM];
  const scopes = scopesIn(payload);
  if (typeof service !== 'string' || !isServiceName(service))
    return unusable(`The token's claim "${JWT_SERVICE_CLAIM}" names no service, which one of role "service" must.`);
  if (scopes === undefined)
    return unusable('The token\'s claim "scope" is not a text of words with blanks between them.');
  return { kind: 'caller', caller: { subject, role, tenantId, service, scopes }, expiresAtMs };
}

function unusable(reason: string): Verification {
  return { kind: 'unusable', reason };
}

// An identity provider that forgot to say whose somebody is has not said that they are ours.
function defaultTenant({ JWKS_URL, DEFAULT_TENANT }: TokenSettings): string | undefined {
  return JWKS_URL === undefined ? DEFAULT_TENANT : undefined;
}

function strongestRole(claim: unknown): Role | undefined {
  const named: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  return ROLES.find((role) => named.includes(role));
}

function isUsableSubject(subject: string): boolean {
  return subject !== '' && subject.length <= MAX_SUBJECT_LENGTH && isStorableText(subject);
}

/** Signs a token with the local key; `ttl` as in `8h`. */
export async function mintToken(
  { ttl, ...caller }: Caller & { readonly ttl: string },
  { config, keys }: { readonly config: TokenSettings; readonly keys: LocalKeys },
): Promise<string> {
  const { subject, role, tenantId } = caller;
  const claims = { [config.JWT_ROLE_CLAIM]: role, [config.JWT_TENANT_CLAIM]: tenantId };
  const ofService =
    caller.role === 'service' ? { [config.JWT_SERVICE_CLAIM]: caller.service, scope: caller.scopes.join(' ') } : {};
  return new SignJWT({ ...claims, ...ofService })
    .setProtectedHeader({ alg: LOCAL_ALGORITHM, kid: keys.kid })
    .setSubject(subject)
    .setIssuer(config.JWT_ISSUER)
    .setAudience(config.JWT_AUDIENCE)
    .setIssuedAt()
    .setExpirationTime(ttl)
    .sign(keys.privateKey);
}
