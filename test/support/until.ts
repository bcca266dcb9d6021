import { setTimeout as delay } from 'node:timers/promises';
import { inspect, isDeepStrictEqual } from 'node:util';

/**
 * Readers of logs wait for the oldest transaction of the whole cluster, so that a test beside this one which holds one
 * slows each message down.
 */
const PATIENCE_MS = 90_000;

/** How long to wait, and for what. */
export interface Patience {
  readonly timeoutMs?: number;
  readonly what?: string;
}

/**
 * Asks again until the answer is true, and fails when it never is: the way to wait for what another process does. The
 * failure names what was waited for; with `seen` also how things stand then.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { timeoutMs = PATIENCE_MS, what = 'the condition', seen }: Patience & { readonly seen?: () => unknown } = {},
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) {
      const state = seen === undefined ? '' : `; last seen: ${shown(await seen())}`;
      throw new Error(`${what} did not come true within ${timeoutMs} ms${state}`);
    }
    await delay(20);
  }
}

/** Reads again until `wanted` is read, and fails with what was read last. */
export async function untilIs<Value>(
  read: () => Promise<Value>,
  wanted: Value,
  patience: Patience = {},
): Promise<void> {
  let last: Value | undefined;
  await until(
    async () => {
      last = await read();
      return isDeepStrictEqual(last, wanted);
    },
    { what: `reading ${inspect(wanted)}`, ...patience, seen: () => last },
  );
}

function shown(state: unknown): string {
  return typeof state === 'string' ? state : inspect(state, { depth: 4 });
}
