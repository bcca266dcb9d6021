import { z } from 'zod';
import { cronProblem } from './cron.ts';

/** A setting that cannot be used; the message is the one line that an operator reads. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

const integer = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^-?\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(least).max(most));
const port = integer(1, 65535);
const number = (least: number, most = Number.MAX_VALUE) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'must be a number')
    .transform(Number)
    .pipe(z.number().min(least).max(most));
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
const optional = z.string().transform((text) => (text === '' ? undefined : text));
const hostPorts = list.refine(
  (items) => items.every((item) => /^[^\s:]+:\d{1,5}$/.test(item)),
  'must be host:port, separated by commas',
);
const cron = z.string().superRefine((text, context) => {
  const problem = cronProblem(text);
  if (problem !== undefined) context.addIssue(problem);
});
const timeZone = z.string().refine((name) => {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
}, 'must be an IANA time zone such as Europe/Paris');
const countries = list.refine(
  (codes) => codes.every((code) => /^[A-Z]{2}$/.test(code)),
  'must be ISO 3166-1 alpha-2 codes such as FR',
);
const serviceNames = list.refine(
  (names) => names.every((name) => /^[a-z][a-z0-9_-]{0,62}$/.test(name)) && new Set(names).size === names.length,
  'must be distinct names of lower-case letters, digits, - and _',
);

/**
 * Every setting: its name in the environment, its default as text, and how it is read. `.env.example` explains them.
 */
export const SETTINGS = {
  PORT: ['3000', port],
  HOST: ['127.0.0.1', z.string().min(1)],
  WORKER_PORT: ['9464', port],
  DATA_DIR: ['.data', z.string().min(1)],
  LOG_LEVEL: ['info', z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])],

  DATABASE_URL: [
    '',
    optional.pipe(
      z
        .string()
        .regex(/^postgres(ql)?:\/\//, 'must be a postgresql:// URL')
        .optional(),
    ),
  ],
  MIGRATION_DATABASE_URL: [
    '',
    optional.pipe(
      z
        .string()
        .regex(/^postgres(ql)?:\/\//, 'must be a postgresql:// URL')
        .optional(),
    ),
  ],
  DATABASE_ROLE: ['steadfast_app', optional],
  DATABASE_POOL_SIZE: ['20', integer(2, 1000)],
  POSTGRES_PORT: ['54329', port],

  TEMPORAL_ADDRESS: ['', optional],
  TEMPORAL_PORT: ['7233', port],
  TEMPORAL_UI_PORT: ['8233', port],
  TASK_QUEUE: ['steadfast', z.string().min(1)],
  COMMAND_TIMEOUT_MS: ['5000', integer(100, 60_000)],
  WORKFLOW_TASK_TIMEOUT_MS: ['10000', integer(1000, 120_000)],
  WORKFLOW_CACHE_SIZE: ['1000', integer(100)],
  WORKER_SHUTDOWN_GRACE_MS: ['10000', integer(0)],
  WORKER_DEPLOYMENT_NAME: ['steadfast', z.string().min(1)],
  WORKER_BUILD_ID: ['', optional],
  WORKER_MAKE_CURRENT: ['true', flag],
  WORKFLOW_BUNDLE_DIR: ['', optional],

  JWKS_URL: ['', optional.pipe(z.url().optional())],
  JWT_ISSUER: ['steadfast', z.string().min(1)],
  JWT_AUDIENCE: ['steadfast-api', z.string().min(1)],
  JWT_ROLE_CLAIM: ['role', z.string().min(1)],
  JWT_TENANT_CLAIM: ['tenant', z.string().min(1)],
  DEFAULT_TENANT: ['default', z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/)],
  TRUST_PROXY_HOPS: ['0', integer(0, 10)],
  RATE_LIMIT_PER_MINUTE: ['600', integer(1)],
  BODY_LIMIT_KB: ['100', integer(1)],
  IDEMPOTENCY_KEY_HOURS: ['24', integer(1)],

  PROFILE_COMPLETION_DEADLINE_DAYS: ['7', number(0)],
  PROFILE_REMINDER_MARKS_DAYS: ['5,3,1', list.pipe(z.array(number(0)))],
  MAX_PROFILE_REMINDERS: ['3', integer(0)],
  REMINDER_HOUR: ['10', optional.pipe(integer(0, 23).optional())],
  TIME_ZONE: ['Europe/Paris', timeZone],
  PROFILE_CHECK_CRON: ['0 10 * * *', cron],

  SYNC_SERVICES: ['gestion_commerciale,accounting,portfolio', serviceNames],
  SYNC_RETRY_DELAYS: ['1000,5000,15000,60000,300000', list.pipe(z.array(integer(0)).min(1))],
  MAX_SYNC_RETRY_ATTEMPTS: ['5', integer(0)],
  SYNC_CONFIRMATION_TIMEOUT_MS: ['30000', integer(1)],
  SYNC_RETRY_RESET_MS: ['86400000', integer(1)],
  SYNC_CHECK_CRON: ['*/30 * * * *', cron],
  CLEANUP_CRON: ['0 0 * * *', cron],
  RETENTION_DAYS: ['30', integer(1)],
  BULK_RATE_PER_SECOND: ['20', number(0.1)],

  ORDER_MAX_LINES: ['50', integer(1, 1_000)],
  ORDER_MAX_QUANTITY: ['1000', integer(1, 1_000_000)],
  ORDER_MAX_TOTAL_MINOR: ['100000000', integer(0)],
  CUSTOMER_CREDIT_LIMIT_MINOR: ['1000000', integer(0)],
  SHIP_TO_COUNTRIES: ['FR,BE,LU,DE,CH,ES,IT,NL', countries],
  DELIVERY_DEADLINE_DAYS: ['7', number(0)],
  RETURN_DEADLINE_DAYS: ['30', number(0)],
  PROCESS_STUCK_AFTER_MS: ['300000', integer(1)],
  PROCESS_WATCH_CRON: ['*/5 * * * *', cron],

  BUS: ['postgres', z.enum(['postgres', 'kafka'])],
  BUS_PARTITIONS: ['8', integer(1, 256)],
  BUS_POLL_MS: ['500', integer(10)],
  BUS_RETRY_DELAYS_MS: ['200,1000,5000', list.pipe(z.array(integer(0)))],
  KAFKA_BROKERS: ['', hostPorts],
  KAFKA_CLIENT_ID: ['steadfast', z.string().regex(/^\S+$/, 'must have no space')],
  KAFKA_TLS: ['false', flag],
  KAFKA_CA_FILE: ['', optional],
  KAFKA_SASL_MECHANISM: ['', optional.pipe(z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']).optional())],
  KAFKA_SASL_USERNAME: ['', optional],
  KAFKA_SASL_PASSWORD: ['', optional],

  SMTP_URL: [
    '',
    optional.pipe(
      z
        .string()
        .regex(/^smtps?:\/\//, 'must be an smtp:// or smtps:// URL')
        .optional(),
    ),
  ],
  MAIL_FROM: ['Steadfast <no-reply@steadfast.example>', z.string().min(3)],
  SMS_WEBHOOK_URL: ['', optional.pipe(z.url({ protocol: /^https?$/ }).optional())],
  SMS_WEBHOOK_SECRET: ['', optional.pipe(z.string().min(16, 'must have 16 characters at least').optional())],
  ADMIN_EMAILS: ['', list.pipe(z.array(z.email()))],
  NOTIFICATIONS_PAUSED: ['false', flag],
  PUBLIC_APP_URL: ['http://localhost:3000', z.url()],

  OTEL_EXPORTER_OTLP_ENDPOINT: ['', optional.pipe(z.url({ protocol: /^https?$/ }).optional())],
  OTEL_TRACES_SAMPLER: [
    'parentbased_always_on',
    z.enum([
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ]),
  ],
  OTEL_TRACES_SAMPLER_ARG: ['1', number(0).pipe(z.number().max(1))],
  OTEL_BSP_SCHEDULE_DELAY: ['5000', integer(1)],

  ALERT_WEBHOOK_URL: ['', optional.pipe(z.url().optional())],
  ALERT_CHECK_INTERVAL_MS: ['15000', integer(100)],
  ALERT_SYNC_FAILURE_RATE: ['0.2', number(0, 1)],
  ALERT_SYNC_FAILURE_MINIMUM: ['5', integer(1)],
  ALERT_SYNC_WINDOW_MINUTES: ['60', number(0.01)],
  ALERT_DEAD_LETTER_DEPTH: ['1', integer(1)],
  ALERT_HORIZON_STALL_MS: ['60000', integer(1)],
  ALERT_SCHEDULE_TO_START_MS: ['30000', integer(1)],
  ALERT_NO_WORKER_MS: ['60000', integer(1)],
} as const satisfies Record<string, readonly [string, z.ZodType]>;

type Settings = typeof SETTINGS;
/** All settings, read and checked. Keys are the names in the environment. */
export type Config = Readonly<{ [Name in keyof Settings]: z.output<Settings[Name][1]> }>;

/**
 * Reads every setting from `env`; an absent one takes its default, a wrong one throws a `ConfigError` that names it.
 */
export function loadConfig(env: Record<string, string | undefined>): Config {
  const entries = Object.entries(SETTINGS).map(([name, [fallback, schema]]) => {
    const read = schema.safeParse((env[name] ?? fallback).trim());
    if (read.success) return [name, read.data];
    const problem = read.error.issues[0]?.message ?? 'is not valid';
    const shown = name.endsWith('_SECRET') ? 'it is not shown' : `it is ${JSON.stringify(env[name] ?? fallback)}`;
    throw new ConfigError(`${name}: ${problem} (${shown}; see .env.example)`);
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each entry was read by the schema of its type
  const config = Object.freeze(Object.fromEntries(entries)) as Config;
  if (config.SMS_WEBHOOK_URL !== undefined && config.SMS_WEBHOOK_SECRET === undefined) {
    throw new ConfigError('SMS_WEBHOOK_SECRET: SMS_WEBHOOK_URL needs it, to sign what it posts (see .env.example)');
  }
  assertKafkaSettings(config);
  return config;
}

function assertKafkaSettings(config: Config): void {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = config;
  const wrong = (name: keyof Config, problem: string) => new ConfigError(`${name}: ${problem} (see .env.example)`);
  if (config.BUS === 'kafka' && config.KAFKA_BROKERS.length === 0) throw wrong('KAFKA_BROKERS', 'BUS=kafka needs it');
  if (config.KAFKA_CA_FILE !== undefined && !config.KAFKA_TLS)
    throw wrong('KAFKA_TLS', 'it must be true for KAFKA_CA_FILE to be used');
  if (mechanism === undefined && (username ?? password) !== undefined)
    throw wrong('KAFKA_SASL_MECHANISM', 'the user name and password need it');
  if (mechanism !== undefined && username === undefined)
    throw wrong('KAFKA_SASL_USERNAME', 'KAFKA_SASL_MECHANISM needs it');
  if (mechanism !== undefined && password === undefined)
    throw wrong('KAFKA_SASL_PASSWORD', 'KAFKA_SASL_MECHANISM needs it');
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
