import { parseArgs } from 'node:util';
import { startTestServices } from './test-services.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    requests: { type: 'string', default: '20000' },
    round: { type: 'string', default: '1000' },
  },
});
const firstSeed = Number(values.seed ?? Date.now() % 1_000_000);
const rounds = Math.ceil(Number(values.requests) / Number(values.round));

const services = await startTestServices();
Object.assign(process.env, services.env);
// Loaded now: the tests' support reads where the services are.
const { fuzz } = await import('../test/fuzz/fuzz.ts');
const { openScope } = await import('../test/support/scope.ts');
const { openFuzzTarget } = await import('../test/fuzz/target.ts');

const scope = openScope();
const api = await openFuzzTarget(scope);
try {
  for (let round = 0; round < rounds; round += 1) {
    const seed = firstSeed + round;
    const report = await fuzz(api, { seed, count: Number(values.round) });
    console.log(`seed ${seed}: ${JSON.stringify(report)}`);
  }
  console.log(
    `${rounds} rounds of ${values.round} requests: nothing found. Repeat one with: npm run fuzz:api -- --seed ` +
      `${firstSeed} --requests ${values.requests}`,
  );
} finally {
  await scope.close();
  await services.stop();
}
