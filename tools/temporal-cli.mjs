import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { arch, platform } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProvisioningError, cacheFolder, cached, run, step, versionOf } from './provisioning.mjs';

const module = fileURLToPath(new URL('temporal/', import.meta.url));
const CONNECT_TIMEOUT_MS = 5_000;
const DOWNLOAD_TIMEOUT_MS = 300_000;
/** The release that is downloaded, which is the one that go.mod builds, and its archives' SHA-256; ADR 0001: whence. */
const RELEASE = '1.5.1';
/** @type {ReadonlyMap<string, string>} */
const ARCHIVES = new Map([
  ['linux_amd64', 'ddc95e08b0b076efd4ea9733a3f488eb7d2be875f8834e616cd2a37358b4852d'],
  ['linux_arm64', 'bd1b0db9f18b051026de8bf6cc1505f2510f14bbb7a8b9a4a91fff46c77454f5'],
  ['darwin_amd64', 'bbb73e2a31135abe50a1f1cdb35030c42961df618e8ce9c60ae89f201540c5d9'],
  ['darwin_arm64', 'cca01b7ea35ad56e2a328d9ae596bf716bd22313ef63c7a761c88354457c2415'],
]);
// The first server with everything that the workflows use (Update-with-Start, deployment versions).
const OLDEST_SERVER = { major: 1, minor: 28 };

/** The Temporal CLI that is there already, or undefined: `TEMPORAL_CLI`, then PATH, then our cache. */
export function findTemporalCli() {
  const named = process.env['TEMPORAL_CLI'];
  if (named) {
    if (versionOf(named, ['--version'])) return named;
    throw new ProvisioningError(`TEMPORAL_CLI names ${named}, which does not run: correct it or unset it.`);
  }
  if (isRecent(versionOf('temporal', ['--version']))) return 'temporal';
  return [downloadedName(), builtName()].map(cachedCli).find((file) => existsSync(file));
}

/**
 * Finds the Temporal CLI or provides it: by the download of one release whose digest is known, else by building it with
 * Go, whose checksums `go.sum` holds.
 */
export async function provideTemporalCli() {
  const found = findTemporalCli();
  if (found) return found;
  if (await download()) return cachedCli(downloadedName());
  await build();
  return cachedCli(builtName());
}

const cachedCli = (/** @type {string} */ name) => join(cacheFolder(), name, 'temporal');
const downloadedName = () => `temporal-cli-${RELEASE}-download`;
const builtName = () =>
  `temporal-cli-${/temporalio\/cli v(\S+)/.exec(readFileSync(join(module, 'go.mod'), 'utf8'))?.[1]}`;

/** @param {string | undefined} version */
function isRecent(version) {
  const [, major, minor] = (/Server (\d+)\.(\d+)/i.exec(version ?? '') ?? []).map(Number);
  if (major === undefined || minor === undefined) return false;
  return major > OLDEST_SERVER.major || (major === OLDEST_SERVER.major && minor >= OLDEST_SERVER.minor);
}

async function download() {
  const cpu = new Map([
    ['x64', 'amd64'],
    ['arm64', 'arm64'],
  ]).get(arch());
  const name = `${platform()}_${cpu}`;
  const digest = ARCHIVES.get(name);
  if (digest === undefined) return false;
  const archive = await fetchArchive(
    `https://github.com/temporalio/cli/releases/download/v${RELEASE}/temporal_cli_${RELEASE}_${name}.tar.gz`,
  );
  if (!archive) return false;
  if (!isArchive(archive, digest)) {
    console.log(
      `The downloaded Temporal CLI ${RELEASE} (${name}) has another SHA-256 than is known here: it was not unpacked. ` +
        'It is built with Go instead.',
    );
    return false;
  }
  try {
    await cached(downloadedName(), async (folder) => {
      await writeFile(join(folder, 'archive.tar.gz'), archive);
      await run('tar', ['-xzf', 'archive.tar.gz', 'temporal'], { cwd: folder });
      if (!isRecent(versionOf(join(folder, 'temporal'), ['--version']))) throw new ProvisioningError('it does not run');
      await run('rm', ['archive.tar.gz'], { cwd: folder });
    });
    return true;
  } catch (error) {
    console.log(
      `The downloaded Temporal CLI is not usable (${error instanceof Error ? error.message : String(error)}).`,
    );
    return false;
  }
}

/**
 * Whether an archive is the one of this SHA-256.
 *
 * @param {Buffer} archive
 * @param {string} digest
 */
function isArchive(archive, digest) {
  return createHash('sha256').update(archive).digest('hex') === digest;
}

/** @param {string} url */
async function fetchArchive(url) {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), CONNECT_TIMEOUT_MS);
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (!response.ok) return undefined;
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(), DOWNLOAD_TIMEOUT_MS);
    return await step('Downloading the Temporal CLI', async () => Buffer.from(await response.arrayBuffer()));
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

async function build() {
  if (!versionOf('go', ['version'])) {
    throw new ProvisioningError(
      'The Temporal CLI is not on PATH, its download is not reachable and there is no Go to build it with. ' +
        'Do one of:\n' +
        '  - install it (https://docs.temporal.io/cli) or set TEMPORAL_CLI to its file;\n' +
        '  - install Go 1.25 or newer (https://go.dev/dl) and run this again;\n' +
        '  - set TEMPORAL_ADDRESS to a Temporal Service that is there already (npm start only).',
    );
  }
  await step('Building the Temporal CLI with Go, once (about 3 minutes)', () =>
    cached(builtName(), async (folder) => {
      const file = join(folder, 'temporal');
      const env = { ...process.env, GOTOOLCHAIN: 'auto', GOFLAGS: '-mod=readonly -buildvcs=false' };
      await run('go', ['build', '-ldflags=-s -w', '-o', file, 'github.com/temporalio/cli/cmd/temporal'], {
        cwd: module,
        env,
      });
      await chmod(file, 0o755);
    }),
  );
}
