import { spawn } from 'node:child_process';
import { loadProcessConfig } from '../src/config.ts';
import { provideTemporalCli } from './temporal-cli.mjs';

// npm run -s temporal -- workflow list: the CLI that npm start uses, with the service that it talks to.
const { TEMPORAL_ADDRESS, TEMPORAL_PORT } = loadProcessConfig();
const env = { ...process.env, TEMPORAL_ADDRESS: TEMPORAL_ADDRESS ?? `127.0.0.1:${TEMPORAL_PORT}` };
const child = spawn(await provideTemporalCli(), process.argv.slice(2), { env, stdio: 'inherit' });
child.once('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
child.once('exit', (code) => { process.exitCode = code ?? 1; });
