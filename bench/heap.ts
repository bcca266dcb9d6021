// Preloaded into a process that is measured (`node --import`), and so into each of its threads. On SIGUSR2 every
// thread collects its garbage; then the process prints what its isolates hold, as one line of JSON behind HEAPS.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';

const ANSWERS_MS = 3_000;
const MB = 1_048_576;

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');
const channel = new BroadcastChannel('heaps');

/** Megabytes of this thread's isolate after a collection: its objects, and the memory that they hold outside. */
function heap(): { heapMb: number; externalMb: number } {
  if (typeof collect === 'function') collect();
  const { heapUsed, external } = process.memoryUsage();
  return { heapMb: heapUsed / MB, externalMb: external / MB };
}

/** To the other threads. */
function send(message: unknown): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- between threads there are no origins
  channel.postMessage(message);
}

if (isMainThread) {
  const threads: unknown[] = [];
  channel.addEventListener('message', (event) => {
    if ('data' in event) threads.push(event.data);
  });
  const tell = async (): Promise<void> => {
    threads.length = 0;
    send('tell');
    const main = heap();
    await sleep(ANSWERS_MS);
    console.log(`HEAPS ${JSON.stringify({ main, threads })}`);
  };
  process.on('SIGUSR2', () => void tell());
} else {
  channel.addEventListener('message', () => send(heap()));
}
// Of Node; the browsers' has none.
if ('unref' in channel && typeof channel.unref === 'function') channel.unref();
