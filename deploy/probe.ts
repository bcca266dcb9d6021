import { listenAddress } from '../src/config/listen-address.ts';

// The health check of a container: succeeds when the address given as argument answers with a success. Where HOST is a
// subnet, it is asked at our address there, since nothing listens elsewhere.
const url = new URL(process.argv[2] ?? '');
const { HOST = '' } = process.env;
if (HOST.includes('/')) url.hostname = listenAddress(HOST) ?? url.hostname;
const response = await fetch(url, { signal: AbortSignal.timeout(4_000) }).catch(() => undefined);
process.exit(response?.ok === true ? 0 : 1);
