import type { Server } from 'node:http';
import { ConfigError } from '../config/setting.ts';

const UNUSABLE = new Map([
  ['EADDRINUSE', 'is taken'],
  ['EADDRNOTAVAIL', 'is no address of this machine'],
  ['EACCES', 'is not allowed to this user'],
]);

/** Listens at a port; one that can't be had is an error that names the `setting` it is from. */
export async function listen(
  server: Server,
  { host, port, setting }: { host: string; port: number; setting: string },
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const problem = UNUSABLE.get(error.code ?? '');
      reject(problem === undefined ? error : new ConfigError(`${setting}: ${port} on ${host} ${problem}`));
    });
    server.listen(port, host, resolve);
  });
}
