import { alertsSettings } from './alerts.ts';
import { authSettings } from './auth.ts';
import { httpSettings } from './http.ts';
import { maintenanceSettings } from './maintenance.ts';
import { assertMessagingSettings, messagingSettings } from './messaging.ts';
import { assertNotificationSettings, notificationsSettings } from './notifications.ts';
import { ordersSettings } from './orders.ts';
import { postgresSettings } from './postgres.ts';
import { processSettings } from './process.ts';
import { profileSettings } from './profile.ts';
import { telemetrySettings } from './telemetry.ts';
import { temporalSettings } from './temporal.ts';
import { userSyncSettings } from './user-sync.ts';
import { ConfigError, type Setting, type SettingValues } from './setting.ts';

/** Every setting under its name in the environment, composed of the domains' own. `.env.example` explains them. */
export const SETTINGS = {
  ...httpSettings,
  ...authSettings,
  ...postgresSettings,
  ...temporalSettings,
  ...profileSettings,
  ...userSyncSettings,
  ...maintenanceSettings,
  ...ordersSettings,
  ...processSettings,
  ...messagingSettings,
  ...notificationsSettings,
  ...telemetrySettings,
  ...alertsSettings,
} as const satisfies Record<string, Setting>;

/** All settings, read and checked. Keys are the names in the environment. */
export type Config = SettingValues<typeof SETTINGS>;

/**
 * Reads every setting from `env`; an absent one takes its default, a wrong one throws a `ConfigError` that names it.
 */
export function loadConfig(env: Record<string, string | undefined>): Config {
  const entries = Object.entries(SETTINGS).map(([name, [fallback, schema]]) => {
    const read = schema.safeParse((env[name] ?? fallback).trim());
    if (read.success) return [name, read.data];
    const problem = read.error.issues[0]?.message ?? 'is not valid';
    const shown = mayHoldPassword(name) ? 'it is not shown' : `it is ${JSON.stringify(env[name] ?? fallback)}`;
    throw new ConfigError(`${name}: ${problem} (${shown}; see .env.example)`);
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each entry was read by the schema of its type
  const config = Object.freeze(Object.fromEntries(entries)) as Config;
  assertMessagingSettings(config);
  assertNotificationSettings(config);
  return config;
}

// However malformed: what no parser takes for a URL may hold a password all the same.
function mayHoldPassword(name: string): boolean {
  return /_(SECRET|PASSWORD|URL|ENDPOINT)$/.test(name);
}

/** The process's own settings: the environment, over a `.env` file in the working directory when there is one. */
export function loadProcessConfig(): Config {
  try {
    process.loadEnvFile('.env');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT'))
      throw new ConfigError(`.env: ${String(error)}`);
  }
  return loadConfig(process.env);
}

/** The SDK's own settings, `TEMPORAL_*`. One left empty, as in a copy of `.env.example`, is one that is not there. */
export function temporalEnvironment(): Record<string, string> {
  const given = Object.entries(process.env).flatMap(([name, value]) =>
    name.startsWith('TEMPORAL_') && value ? [[name, value] as const] : [],
  );
  return Object.fromEntries(given);
}
