import { z } from 'zod';
import { flag, optional, settingError, type Setting, type SettingValues } from './setting.ts';

/** Settings of tokens and tenants. */
export const authSettings = {
  JWKS_URL: ['', optional.pipe(z.url().optional())],
  NODE_ENV: ['', optional],
  ALLOW_LOCAL_KEYS: ['false', flag],
  SUBJECT_HASH_SECRET: ['', optional.pipe(z.string().min(32, 'must have 32 characters or more').optional())],
  JWT_ISSUER: ['steadfast', z.string().min(1)],
  JWT_AUDIENCE: ['steadfast-api', z.string().min(1)],
  JWT_ROLE_CLAIM: ['role', z.string().min(1)],
  JWT_TENANT_CLAIM: ['tenant', z.string().min(1)],
  JWT_SERVICE_CLAIM: ['service', z.string().min(1)],
  DEFAULT_TENANT: ['default', z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/)],
} as const satisfies Record<string, Setting>;

/** Fails in production when keys of our own would verify tokens or hash subjects, unless that is allowed by name. */
export function assertIdentityProvider(settings: IdentitySettings): void {
  for (const name of ['JWKS_URL', 'SUBJECT_HASH_SECRET'] as const) assertGiven(settings, name);
}

/** The same for who hashes subjects and verifies no token. */
export function assertSubjectHash(settings: Omit<IdentitySettings, 'JWKS_URL'>): void {
  assertGiven(settings, 'SUBJECT_HASH_SECRET');
}

function assertGiven<Name extends 'JWKS_URL' | 'SUBJECT_HASH_SECRET'>(
  settings: Pick<IdentitySettings, 'NODE_ENV' | 'ALLOW_LOCAL_KEYS' | Name>,
  name: Name,
): void {
  if (settings.NODE_ENV !== 'production' || settings.ALLOW_LOCAL_KEYS || settings[name] !== undefined) return;
  throw settingError(name, 'in production it is needed; ALLOW_LOCAL_KEYS=true goes without, for trying out');
}
type IdentitySettings = Pick<
  SettingValues<typeof authSettings>,
  'NODE_ENV' | 'JWKS_URL' | 'SUBJECT_HASH_SECRET' | 'ALLOW_LOCAL_KEYS'
>;
