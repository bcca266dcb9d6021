// The health check of a container: succeeds when the address given as argument answers with a success.
const response = await fetch(process.argv[2] ?? '', { signal: AbortSignal.timeout(4_000) }).catch(() => undefined);
process.exit(response?.ok === true ? 0 : 1);
