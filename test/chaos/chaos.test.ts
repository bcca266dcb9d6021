import test from 'ava';
import { ORDER_MODES } from '../../src/domain/orders/choreographed-order.ts';
import { runChaos } from './chaos.ts';

test('orders come out even, whatever fails and whoever is killed', async (t) => {
  const seed = 7;
  const { discrepancies, statuses, kills } = await runChaos({
    seed,
    orders: 40,
    modes: ORDER_MODES,
    killEveryMs: 2_000,
    faults: 0.04,
    log: (line) => t.log(line),
  });
  t.log(`seed ${seed}: ${JSON.stringify(statuses)} after ${kills} kills`);
  t.deepEqual(discrepancies, []);
  t.true((statuses['completed'] ?? 0) > 0 && kills > 0);
});
