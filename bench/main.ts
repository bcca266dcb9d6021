import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { loadWorkflowBundle } from '../src/temporal/workflow-bundle.ts';
import type { Figure } from './measure.ts';
import { startTestServices } from '../tools/test-services.ts';

const { values } = parseArgs({
  options: { only: { type: 'string', default: 'abcdefg' }, quick: { type: 'boolean', default: false } },
});
const scale = values.quick ? 0.2 : 1;

// A worker that makes the bundle itself keeps the memory which that took.
const WORKFLOW_BUNDLE_DIR = '.data/bundles';
await loadWorkflowBundle(WORKFLOW_BUNDLE_DIR);
const services = await startTestServices({ isDurable: true });
Object.assign(process.env, services.env, { WORKFLOW_BUNDLE_DIR });
// Loaded now: the installations read where the services are.
const { benchRegistrations } = await import('./registrations.ts');
const { benchCycle } = await import('./cycle.ts');
const { benchMemory } = await import('./memory.ts');
const { benchAudit } = await import('./audit.ts');
const { benchBus } = await import('./bus.ts');
const { benchOrders } = await import('./orders.ts');
const { benchLevers } = await import('./levers.ts');
const { busesOf } = await import('./buses.ts');

const sections: Readonly<Record<string, () => Promise<Figure[]>>> = {
  a: () => benchRegistrations(Math.round(1_500 * scale)),
  b: () => benchCycle(Math.round(500 * scale)),
  c: () => benchMemory(values.quick ? [300, 1_000] : [1_000, 3_000]),
  d: () => benchAudit(Math.round(10_000 * scale)),
  e: async () => benchBus(Math.round(50_000 * scale), await busesOf()),
  f: () => benchOrders(values.quick ? [100, 500] : [100, 1_000, 10_000]),
  g: () => benchLevers(Math.round(1_000 * scale)),
};

const figures: Figure[] = [];
try {
  for (const [letter, run] of Object.entries(sections)) {
    if (!values.only.includes(letter)) continue;
    const measured = await run();
    figures.push(...measured);
    console.table(
      measured.map(({ section, name, value, unit, ratio }) => ({
        section,
        name,
        value: Number(value.toPrecision(4)),
        unit,
        '÷ baseline': ratio === undefined ? '' : Number(ratio.toPrecision(3)),
      })),
    );
  }
  await mkdir('.data', { recursive: true });
  await writeFile(
    '.data/bench.json',
    `${JSON.stringify({ at: new Date().toISOString(), cpus: cpus().length, quick: values.quick, figures }, null, 2)}\n`,
  );
  console.log('Written to .data/bench.json');
} finally {
  await services.stop();
}
