import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

const HOUR_MS = 3_600_000;
const PROGRESS_EVERY_MS = 10_000;

/** A failure whose message tells the reader what to do; it is printed without a trace. */
export class ProvisioningError extends Error {}

/** Where provisioned programs are kept: outside the checkout, so that a fresh clone finds them. */
export function cacheFolder() {
  const { STEADFAST_CACHE, XDG_CACHE_HOME } = process.env;
  return STEADFAST_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'steadfast');
}

/**
 * Makes `cacheFolder()/name` by letting `fill` write into a temporary folder that is renamed at the end,
 * so that neither a killed nor a concurrent set-up leaves half a folder.
 * @param {string} name
 * @param {(folder: string) => Promise<void>} fill
 * @returns {Promise<string>}
 */
export async function cached(name, fill) {
  const target = join(cacheFolder(), name);
  if (existsSync(target)) return target;
  await mkdir(cacheFolder(), { recursive: true });
  await removeAbandoned();
  const temporary = await mkdtemp(join(cacheFolder(), 'tmp-'));
  try {
    await fill(temporary);
    await rename(temporary, target).catch((error) => {
      if (!existsSync(target)) throw error;
    });
    return target;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function removeAbandoned() {
  for (const name of await readdir(cacheFolder())) {
    const folder = join(cacheFolder(), name);
    if (!name.startsWith('tmp-')) continue;
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > HOUR_MS) await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Does one long step, saying what it does, how long it has been at it, and how long it took.
 * @template Result
 * @param {string} title
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result>}
 */
export async function step(title, work) {
  const startMs = Date.now();
  const seconds = () => `${Math.round((Date.now() - startMs) / 1000)} s`;
  console.log(`${title} …`);
  const timer = setInterval(() => console.log(`${title} … ${seconds()}`), PROGRESS_EVERY_MS);
  try {
    const result = await work();
    console.log(`${title}: done in ${seconds()}`);
    return result;
  } finally {
    clearInterval(timer);
  }
}

/**
 * Runs a program to its end and returns what it printed; a failure carries its first and last lines.
 * @param {string} file
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<string>}
 */
export function run(file, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk.toString()).slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(output);
      const lines = output.trim().split('\n');
      const told = lines.length > 24 ? [...lines.slice(0, 12), '…', ...lines.slice(-12)] : lines;
      reject(
        new ProvisioningError(
          `${file} ${args.join(' ')} ended with ${signal ?? `status ${code}`}:\n${told.join('\n')}`,
        ),
      );
    });
  });
}

/**
 * What a program on PATH prints when asked for its version, or undefined without such a program.
 * @param {string} file
 * @param {string[]} args
 * @returns {string | undefined}
 */
export function versionOf(file, args) {
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', timeout: 20_000 });
  return status === 0 ? `${stdout}${stderr}` : undefined;
}

/** The PATH of the machine itself: without the folders that npm puts before it. */
export function machinePath() {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.filter((folder) => !/node_modules[\\/]\.bin$|node-gyp-bin$/.test(folder)).join(delimiter);
}
