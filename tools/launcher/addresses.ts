import { isIPv6 } from 'node:net';

/** Where this machine's own programs find ours. */
export const LOOPBACK = '127.0.0.1';

/** The URL of a port that is listened on at `host`, an address or a name. */
export function httpUrl(host: string, port: number): string {
  // An address to listen on everywhere is none to connect to.
  const reachable = host === '0.0.0.0' || host === '::' ? LOOPBACK : host;
  return `http://${isIPv6(reachable) ? `[${reachable}]` : reachable}:${port}`;
}
