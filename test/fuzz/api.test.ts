import test from 'ava';
import { fuzz } from './fuzz.ts';
import { openFuzzTarget } from './target.ts';

const SEED = 20_261_121;

test("no request drawn from the OpenAPI document gets a 5xx, an undeclared answer or others' data", async (t) => {
  const report = await fuzz(await openFuzzTarget(t), { seed: SEED, count: 1_000 });
  t.log(JSON.stringify(report));
  const allowed = ['200', '201', '202'].reduce((sum, status) => sum + (report[status] ?? 0), 0);
  t.true(allowed > 60, 'what is allowed is answered');
  t.true((report['400'] ?? 0) > 50, 'what is forbidden is refused');
  t.true((report['409'] ?? 0) > 0, 'states are reached in which commands are illegal');
});
