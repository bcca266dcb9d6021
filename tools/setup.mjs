// Runs on the machine's own Node before anything is installed: only Node's built-in modules may be imported here.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { provideKafka } from './kafka.mjs';
import { requireNginx } from './nginx.mjs';
import { ProvisioningError, machinePath, run, step } from './provisioning.mjs';
import { provideTemporalCli } from './temporal-cli.mjs';
import { provideTestServer } from './test-server.mjs';

const OLDEST_NODE = 20;
const root = fileURLToPath(new URL('..', import.meta.url));
const modules = join(root, 'node_modules');
const node = join(modules, '.bin', 'node');

try {
  requireNode();
  if (process.argv.includes('--test')) requireNginx();
  await installPackages();
  await generateClient();
  if (needsTemporalCli()) await provideTemporalCli();
  if (process.argv.includes('--test')) {
    await provideTestServer();
    await provideKafka();
  }
} catch (error) {
  console.error(error instanceof ProvisioningError ? `\n${error.message}` : error);
  process.exit(1);
}

function requireNode() {
  if (Number(process.versions.node.split('.')[0]) >= OLDEST_NODE) return;
  throw new ProvisioningError(`Node ${process.versions.node} is too old: install Node ${OLDEST_NODE} or newer.`);
}

async function installPackages() {
  const stamp = join(modules, '.steadfast-packages');
  const wanted = hash(readFileSync(join(root, 'package-lock.json')));
  if (read(stamp) === wanted && existsSync(node)) return;
  if (!matchesLock()) {
    const env = { ...process.env, PATH: machinePath(), PRISMA_SCHEMA_ENGINE_BINARY: process.execPath };
    // Also under NODE_ENV=production, where npm would leave out what generates the database client.
    const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
    await step('Installing packages', () => run('npm', args, { cwd: root, env }));
  }
  if (!existsSync(node)) {
    throw new ProvisioningError(
      'The package `node` was installed without its program: its install script did not run ' +
        '(npm config ignore-scripts?). ' +
        'Allow install scripts, delete node_modules and run this again.',
    );
  }
  writeFileSync(stamp, wanted);
}

// Someone who ran npm by hand has the right packages but no stamp: npm's record of what it installed tells.
function matchesLock() {
  const installed = read(join(modules, '.package-lock.json'));
  if (installed === undefined || !existsSync(node)) return false;
  const found = JSON.parse(installed).packages;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional, link }]) =>
      path === '' ||
      link ||
      (found[path] ? found[path].version === version : optional || !path.startsWith('node_modules/')),
  );
}

async function generateClient() {
  const folder = join(root, 'prisma');
  const client = join(root, 'src', 'postgres', 'generated');
  const schema = readdirSync(folder)
    .filter((name) => name.endsWith('.prisma'))
    .toSorted();
  const version = JSON.parse(readFileSync(join(modules, 'prisma', 'package.json'), 'utf8')).version;
  const wanted = hash([version, ...schema.map((name) => name + read(join(folder, name)))].join('\n'));
  const stamp = join(modules, '.steadfast-client');
  if (read(stamp) === wanted && existsSync(client)) return;
  // The client needs no engine, but Prisma downloads one unless it is told of an executable.
  const env = {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: node,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  };
  const prisma = join(modules, 'prisma', 'build', 'index.js');
  await step('Generating the database client', () => run(node, [prisma, 'generate'], { cwd: root, env }));
  writeFileSync(stamp, wanted);
}

function needsTemporalCli() {
  if (process.argv.includes('--test')) return true;
  const settings = read(join(root, '.env')) ?? '';
  return !(process.env['TEMPORAL_ADDRESS'] ?? /^\s*TEMPORAL_ADDRESS\s*=\s*["']?([^"'#\s]+)/m.exec(settings)?.[1]);
}

/** @param {string} file */
function read(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** @param {string | Buffer} content */
function hash(content) {
  return createHash('sha256').update(content).digest('hex');
}
