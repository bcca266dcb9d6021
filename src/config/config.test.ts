import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import test from 'ava';
import { loadConfig, SETTINGS } from './config.ts';
import { ConfigError } from './setting.ts';

const EXAMPLE = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');

test('.env.example lists exactly the settings, with their defaults', (t) => {
  const defaults = Object.fromEntries(Object.entries(SETTINGS).map(([name, [fallback]]) => [name, fallback]));
  t.deepEqual({ ...parseEnv(EXAMPLE) }, defaults);
});

test('loadConfig reads the defaults as .env.example has them', (t) => {
  t.deepEqual(loadConfig(parseEnv(EXAMPLE)), loadConfig({}));
});

test('SMS_WEBHOOK_URL needs a secret, which no message shows', (t) => {
  const SMS_WEBHOOK_URL = 'https://sms.example/send';
  t.throws(() => loadConfig({ SMS_WEBHOOK_URL }), { instanceOf: ConfigError, message: /^SMS_WEBHOOK_SECRET: / });
  const short = t.throws(() => loadConfig({ SMS_WEBHOOK_URL, SMS_WEBHOOK_SECRET: 'hush' }), {
    instanceOf: ConfigError,
  });
  t.regex(short.message, /^SMS_WEBHOOK_SECRET: /);
  t.notRegex(short.message, /hush/);
  t.notThrows(() => loadConfig({ SMS_WEBHOOK_URL, SMS_WEBHOOK_SECRET: '0123456789abcdef' }));
});

test('what may hold a password is not shown, however malformed it is', (t) => {
  for (const [name, value] of [
    ['DATABASE_URL', 'postgress://ada:hush@db'],
    ['MIGRATION_DATABASE_URL', 'ada:hush@db/steadfast'],
    ['SMTP_URL', 'smtp:/ada:hush@mail'],
    ['SMS_WEBHOOK_URL', 'ada:hush@sms'],
    ['JWKS_URL', '//ada:hush'],
    ['ALERT_WEBHOOK_SECRET', 'hush'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'hush'],
  ] as const) {
    const { message } = t.throws(() => loadConfig({ [name]: value }), { instanceOf: ConfigError });
    t.true(message.startsWith(`${name}: `));
    t.notRegex(message, /hush|ada/);
  }
});

test('ALERT_SYNC_FAILURE_RATE is a share', (t) => {
  t.throws(() => loadConfig({ ALERT_SYNC_FAILURE_RATE: '20' }), {
    instanceOf: ConfigError,
    message: /^ALERT_SYNC_FAILURE_RATE: /,
  });
});

for (const [name, settings] of [
  ['KAFKA_BROKERS', { BUS: 'kafka' }],
  ['KAFKA_BROKERS', { KAFKA_BROKERS: 'broker' }],
  ['KAFKA_TLS', { KAFKA_CA_FILE: 'ca.pem' }],
  ['KAFKA_SASL_MECHANISM', { KAFKA_SASL_PASSWORD: 'hush' }],
  ['KAFKA_SASL_MECHANISM', { KAFKA_SASL_MECHANISM: 'GSSAPI' }],
  ['KAFKA_SASL_USERNAME', { KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_SASL_PASSWORD: 'hush' }],
  ['KAFKA_SASL_PASSWORD', { KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_SASL_USERNAME: 'steadfast' }],
] as const) {
  test(`${name} is named when it does not go with ${JSON.stringify(settings)}`, (t) => {
    const error = t.throws(() => loadConfig(settings), { instanceOf: ConfigError });
    t.true(error.message.startsWith(`${name}: `));
    t.notRegex(error.message, /hush|\n/);
  });
}

test('a wrong setting is named, with its value', (t) => {
  const error = t.throws(() => loadConfig({ PORT: 'eighty' }), { instanceOf: ConfigError });
  t.regex(error.message, /^PORT: .*"eighty".*\.env\.example/);
  t.notRegex(error.message, /\n/);
});
