import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { loadProcessConfig } from '../src/config/config.ts';
import { chooseTemporal } from './launcher/temporal-choice.ts';
import { provideTemporalCli } from './temporal-cli.mjs';

// npm run -s temporal -- workflow list: the CLI that npm start uses, with the service that it talks to.
const { DATA_DIR, TEMPORAL_PORT } = loadProcessConfig();
const env = { ...process.env, ...chooseTemporal({ dataDir: resolve(DATA_DIR), port: TEMPORAL_PORT }).env };
const child = spawn(await provideTemporalCli(), process.argv.slice(2), { env, stdio: 'inherit' });
child.once('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
child.once('exit', (code) => {
  process.exitCode = code ?? 1;
});
