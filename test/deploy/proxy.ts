import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { findNginx } from '../../tools/nginx.mjs';
import { tellOnFailure, type Scope } from '../support/scope.ts';
import { freePort } from '../support/services.ts';
import { until } from '../support/until.ts';
import { temporaryFolder } from '../support/world.ts';
import { ROOT } from './compose-file.ts';

/** Of its log, when a test fails. */
const TOLD_CHARACTERS = 4_000;

/** A real nginx with the repository's file. */
export interface Proxy {
  readonly port: number;
  /** What it was started with. */
  readonly config: string;
  /** What it has logged. */
  log(): Promise<string>;
}

/** What the proxy finds behind the name `api`. */
export interface Upstream {
  readonly port: number;
  readonly addresses?: readonly string[];
  /** Waits of a second instead of those of the file. */
  readonly isHurried?: boolean;
}

/** Starts nginx with deploy/nginx/nginx.conf; ports, folders and the name server alone are of this machine. */
export async function startProxy(
  scope: Scope,
  { port: apiPort, addresses = ['127.0.0.1'], isHurried = false }: Upstream,
): Promise<Proxy> {
  const folder = await temporaryFolder(scope);
  await chmod(folder, 0o755);
  await mkdir(join(folder, 'tmp'));
  const names = await serveNames(scope, addresses);
  const port = await freePort();
  const rendered = replaceEach(await readFile(`${ROOT}/deploy/nginx/nginx.conf`, 'utf8'), [
    [/\/tmp\//g, `${folder}/tmp/`],
    [/listen 8080;/g, `listen 127.0.0.1:${port};`],
    [/http:\/\/api:3000;/g, `http://api:${apiPort};`],
    [/resolver 127\.0\.0\.11 /g, `resolver 127.0.0.1:${names} `],
    ...(isHurried
      ? [[/(client_header_timeout|client_body_timeout|proxy_read_timeout) \d+s;/g, '$1 1s;'] as const]
      : []),
  ]);
  const file = join(folder, 'nginx.conf');
  await writeFile(file, rendered);
  // Not a pipe: nginx opens /dev/stdout by its name.
  const output = await open(join(folder, 'log'), 'a');
  const log = () => readFile(join(folder, 'log'), 'utf8');
  // As root it would give its work to a user who may not enter the folders of the tests.
  const asRoot = process.getuid?.() === 0 ? ['-g', 'user root;'] : [];
  const child = spawn(findNginx() ?? 'nginx', ['-e', join(folder, 'error.log'), '-c', file, ...asRoot], {
    stdio: ['ignore', output.fd, output.fd],
  });
  const end = (): void => void child.kill('SIGTERM');
  process.once('exit', end);
  tellOnFailure(scope, () => `nginx logged:\n${readFileSync(join(folder, 'log'), 'utf8').slice(-TOLD_CHARACTERS)}`);
  scope.teardown(async () => {
    process.off('exit', end);
    end();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await output.close();
  });
  await until(() => accepts(port), { what: 'nginx', timeoutMs: 20_000 });
  return { port, config: rendered, log };
}

/** Replaces in turn; what is not there any more would leave a test that shows nothing. */
function replaceEach(text: string, changes: readonly (readonly [RegExp, string])[]): string {
  return changes.reduce((changed, [pattern, replacement]) => {
    if (changed.search(pattern) < 0) throw new Error(`deploy/nginx/nginx.conf has no ${pattern.source}`);
    return changed.replace(pattern, replacement);
  }, text);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** A name server to which every name is the same addresses, as Docker's is for the nodes of a service. */
async function serveNames(scope: Scope, addresses: readonly string[]): Promise<number> {
  const socket: Socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => socket.send(answerTo(query, addresses), port, address));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  scope.teardown(() => void socket.close());
  return socket.address().port;
}

/** RFC 1035, section 4: the header with the query's id, its question, and an A record for each address. */
function answerTo(query: Buffer, addresses: readonly string[]): Buffer {
  const header = Buffer.from([...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, addresses.length, 0, 0, 0, 0]);
  const question = query.subarray(12, query.indexOf(0, 12) + 5);
  const records = addresses.map((address) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, ...address.split('.').map(Number)]),
  );
  return Buffer.concat([header, question, ...records]);
}
