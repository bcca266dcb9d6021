import { parseArgs } from 'node:util';
import { z } from 'zod';
import { localKeys } from '../src/auth/local-keys.ts';
import { ROLES, type Caller } from '../src/auth/roles.ts';
import { ALL_SCOPES, SCOPES } from '../src/auth/scopes.ts';
import { mintToken } from '../src/auth/tokens.ts';
import { loadProcessConfig } from '../src/config/config.ts';
import { ConfigError } from '../src/config/setting.ts';
import { isServiceName } from '../src/domain/shared/service-name.ts';
import { isTenantName } from '../src/domain/shared/tenant.ts';

const USAGE = `npm run -s token -- --role ${ROLES.toReversed().join('|')} --sub SUBJECT [--tenant TENANT] [--ttl 8h]
       of role service also: --service NAME [--scope 'SCOPE SCOPE'], all of them unless some are named:
       ${Object.keys(SCOPES).join(' ')}`;

const options = z
  .object({
    role: z.enum(ROLES),
    sub: z.string().min(1).max(255),
    tenant: z.string().refine(isTenantName, 'must be lower-case letters, digits and -').optional(),
    service: z.string().refine(isServiceName, 'must be lower-case letters, digits, - and _').optional(),
    scope: z
      .string()
      .transform((words) => words.split(' ').filter((word) => word !== ''))
      .pipe(z.array(z.enum(ALL_SCOPES)))
      .optional(),
    ttl: z
      .string()
      .regex(/^\d+ ?(s|m|h|d|w|y)$/)
      .default('8h'),
  })
  .refine(({ role, service, scope }) => role === 'service' || (service ?? scope) === undefined, {
    path: ['service'],
    message: 'and --scope are for role service',
  });

try {
  const config = loadProcessConfig();
  const texts = ['role', 'sub', 'tenant', 'service', 'scope', 'ttl'].map((name) => [name, { type: 'string' }] as const);
  const given = options.parse(parseArgs({ options: Object.fromEntries(texts) }).values);
  if (config.JWKS_URL !== undefined)
    throw new ConfigError('JWKS_URL: tokens come from that identity provider; this tool only signs with the local key');
  const caller = callerOf(given, config.DEFAULT_TENANT);
  console.log(await mintToken({ ...caller, ttl: given.ttl }, { config, keys: await localKeys(config.DATA_DIR) }));
} catch (error) {
  const problem =
    error instanceof z.ZodError
      ? error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('; ')
      : error instanceof Error
        ? error.message
        : String(error);
  console.error(`${problem}\nusage: ${USAGE}`);
  process.exitCode = 1;
}

function callerOf({ role, sub, tenant, service, scope }: z.output<typeof options>, defaultTenant: string): Caller {
  const identity = { subject: sub, tenantId: tenant ?? defaultTenant };
  if (role !== 'service') return { ...identity, role };
  if (service === undefined) throw new Error('--service: a token of role service names its service');
  return { ...identity, role, service, scopes: scope ?? ALL_SCOPES };
}
