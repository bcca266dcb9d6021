import { parseArgs } from 'node:util';
import { ORDER_MODES } from '../src/domain/orders/choreographed-order.ts';
import { startTestServices } from './test-services.ts';

const { values } = parseArgs({
  options: {
    orders: { type: 'string', default: '500' },
    seed: { type: 'string' },
    mode: { type: 'string', default: 'both' },
    faults: { type: 'string', default: '0.03' },
    'kill-every-ms': { type: 'string', default: '3000' },
  },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);

const services = await startTestServices();
Object.assign(process.env, services.env);
// Loaded now: the tests' support reads where the services are.
const { runChaos } = await import('../test/chaos/chaos.ts');

try {
  console.log(
    `seed ${seed}; what fails can be had again, though not to the millisecond: npm run chaos -- --seed ${seed}`,
  );
  const { statuses, kills, discrepancies } = await runChaos({
    seed,
    orders: Number(values.orders),
    modes: ORDER_MODES.filter((mode) => values.mode === 'both' || values.mode === mode),
    killEveryMs: Number(values['kill-every-ms']),
    faults: Number(values.faults),
    log: (line) => console.log(line),
  });
  console.log(`${values.orders} orders, ${kills} kills, Temporal restarted once: ${JSON.stringify(statuses)}`);
  for (const discrepancy of discrepancies) console.log(`WRONG  ${discrepancy}`);
  console.log(
    discrepancies.length === 0
      ? `seed ${seed}: money, stock and states add up`
      : `seed ${seed}: ${discrepancies.length} things do not add up`,
  );
  process.exitCode = discrepancies.length === 0 ? 0 : 1;
} finally {
  await services.stop();
}
