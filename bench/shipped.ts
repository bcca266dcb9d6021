import { setTimeout as delay } from 'node:timers/promises';
import type { SystemDb } from '../src/postgres/client.ts';
import { drive, type Load } from './measure.ts';

const LOOK_MS = 10;

/** Places orders, so many at a time, each until it is shipped; one look of ours serves all that wait. */
export async function untilShipped(
  system: SystemDb,
  { count, inFlight, place }: { count: number; inFlight: number; place: (index: number) => Promise<string> },
): Promise<Load> {
  const waiting = new Map<string, () => void>();
  let isOver = false;
  const looking = (async () => {
    while (!isOver) {
      const shipped = await system.acrossTenants((tx) =>
        tx.processState.findMany({
          where: { processId: { in: [...waiting.keys()] }, status: { not: 'running' } },
          select: { processId: true, status: true },
        }),
      );
      for (const { processId, status } of shipped) {
        if (status !== 'waiting') throw new Error(`the order ${processId} is ${status}`);
        waiting.get(processId)?.();
        waiting.delete(processId);
      }
      await delay(LOOK_MS);
    }
  })();
  const placing = drive(count, inFlight, async (index) => {
    const id = await place(index);
    await new Promise<void>((resolve) => waiting.set(id, resolve));
  }).finally(() => {
    isOver = true;
  });
  const [load] = await Promise.all([placing, looking]);
  return load;
}
