import { z } from 'zod';
import { optional, type Setting } from './setting.ts';

/** Settings of tokens and tenants. */
export const authSettings = {
  JWKS_URL: ['', optional.pipe(z.url().optional())],
  JWT_ISSUER: ['steadfast', z.string().min(1)],
  JWT_AUDIENCE: ['steadfast-api', z.string().min(1)],
  JWT_ROLE_CLAIM: ['role', z.string().min(1)],
  JWT_TENANT_CLAIM: ['tenant', z.string().min(1)],
  DEFAULT_TENANT: ['default', z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/)],
} as const satisfies Record<string, Setting>;
