import { parseArgs } from 'node:util';
import { z } from 'zod';
import { localKeys } from '../src/auth/local-keys.ts';
import { ROLES } from '../src/auth/roles.ts';
import { mintToken } from '../src/auth/tokens.ts';
import { loadProcessConfig } from '../src/config/config.ts';
import { ConfigError } from '../src/config/setting.ts';

const USAGE = 'npm run -s token -- --role user|service|operator|admin --sub SUBJECT [--tenant TENANT] [--ttl 8h]';

const options = z.object({
  role: z.enum(ROLES),
  sub: z.string().min(1).max(255),
  tenant: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
    .optional(),
  ttl: z
    .string()
    .regex(/^\d+ ?(s|m|h|d|w|y)$/)
    .default('8h'),
});

try {
  const config = loadProcessConfig();
  const given = options.parse(
    parseArgs({
      options: {
        role: { type: 'string' },
        sub: { type: 'string' },
        tenant: { type: 'string' },
        ttl: { type: 'string' },
      },
    }).values,
  );
  if (config.JWKS_URL !== undefined)
    throw new ConfigError('JWKS_URL: tokens come from that identity provider; this tool only signs with the local key');
  console.log(
    await mintToken(
      { subject: given.sub, role: given.role, tenantId: given.tenant ?? config.DEFAULT_TENANT, ttl: given.ttl },
      { config, keys: await localKeys(config.DATA_DIR) },
    ),
  );
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
