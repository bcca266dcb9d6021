import { setTimeout as delay } from 'node:timers/promises';

/** Asks again until the answer is true, and fails when it never is: the way to wait for what another process does. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { timeoutMs = 30_000, what = 'the condition' } = {},
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${what} did not come true within ${timeoutMs} ms`);
    await delay(20);
  }
}
