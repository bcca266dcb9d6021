import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import test from 'ava';
import { ConfigError, loadConfig, SETTINGS } from './config.ts';

const EXAMPLE = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');

test('.env.example lists exactly the settings, with their defaults', (t) => {
  const defaults = Object.fromEntries(Object.entries(SETTINGS).map(([name, [fallback]]) => [name, fallback]));
  t.deepEqual({ ...parseEnv(EXAMPLE) }, defaults);
});

test('loadConfig reads the defaults as .env.example has them', (t) => {
  t.deepEqual(loadConfig(parseEnv(EXAMPLE)), loadConfig({}));
});

test('a wrong setting is named, with its value', (t) => {
  const error = t.throws(() => loadConfig({ PORT: 'eighty' }), { instanceOf: ConfigError });
  t.regex(error.message, /^PORT: .*"eighty".*\.env\.example/);
  t.notRegex(error.message, /\n/);
});
