import { launch } from './launcher/launch.ts';

// A terminal that was closed must not end the launcher before it has stopped its children.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

const stop = new AbortController();
const hurry = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) {
      console.log('Hurrying.');
      hurry.abort();
    }
    stop.abort();
  });
}

try {
  await launch({ stop: stop.signal, hurry: hurry.signal });
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
