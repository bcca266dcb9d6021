import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { connectConfig } from '../../src/temporal/connection.ts';
import { chooseTemporal } from './temporal-choice.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'steadfast-temporal-'));
const file = join(dataDir, 'profile.toml');
test.beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('TEMPORAL_')) delete process.env[name];
  process.env['TEMPORAL_CONFIG_FILE'] = file;
});
test.after.always(() => rmSync(dataDir, { recursive: true }));

test.serial('chooseTemporal takes the address of a profile for another server', (t) => {
  writeFileSync(file, '[profile.default]\naddress = "ours.tmprl.cloud:7233"\nnamespace = "ours"\napi_key = "secret"\n');
  t.deepEqual(chooseTemporal({ dataDir, port: 7233 }), {
    isOurs: false,
    address: 'ours.tmprl.cloud:7233',
    namespace: 'ours',
    env: {},
  });
});

test.serial('chooseTemporal keeps the rest of a profile without an address from the dev server', (t) => {
  writeFileSync(file, '[profile.default]\nnamespace = "theirs"\napi_key = "secret"\n');
  process.env['TEMPORAL_TLS'] = 'true';
  const { isOurs, env } = chooseTemporal({ dataDir, port: 7000 });
  t.true(isOurs);
  Object.assign(process.env, env);
  t.like(connectConfig(), {
    namespace: 'default',
    connectionOptions: { address: '127.0.0.1:7000', apiKey: undefined, tls: undefined },
  });
});
