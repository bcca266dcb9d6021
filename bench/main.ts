import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { loadWorkflowBundle } from '../src/temporal/workflow-bundle.ts';
import type { Figure } from './measure.ts';
import { startTestServices } from '../tools/test-services.ts';

/** What can be measured, in the order in which it is. */
const SECTIONS = [
  'registrations',
  'cycle',
  'memory',
  'audit',
  'bus',
  'orders',
  'growth',
  'choreography',
  'levers',
  'ids',
  'wave',
] as const;
type Section = (typeof SECTIONS)[number];
const HELP = `npm run bench -- [--only <section>[,<section>…]] [--quick]

  --only   one or several of: ${SECTIONS.join(', ')}; all of them without it
  --quick  a fifth of the numbers
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: SECTIONS.join(',') },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const wanted = values.only.split(',').map((word) => word.trim());
const unknown = wanted.filter((word) => !SECTIONS.some((section) => section === word));
if (values.help || unknown.length > 0) {
  process.stdout.write(unknown.length > 0 ? `There is no section ${unknown.join(', ')}.\n\n${HELP}` : HELP);
  process.exit(unknown.length > 0 ? 1 : 0);
}
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
const { benchGrowth } = await import('./direct-orders.ts');
const { benchChoreography } = await import('./choreography.ts');
const { benchLevers } = await import('./levers.ts');
const { benchIds } = await import('./ids.ts');
const { benchWave } = await import('./wave.ts');
const { busesOf } = await import('./buses.ts');

const sections: Readonly<Record<Section, () => Promise<Figure[]>>> = {
  registrations: () => benchRegistrations(Math.round(1_500 * scale)),
  cycle: () => benchCycle(Math.round(500 * scale)),
  memory: () => benchMemory(values.quick ? [300, 1_000] : [1_000, 3_000, 10_000]),
  audit: () => benchAudit(Math.round(10_000 * scale)),
  bus: async () => benchBus(Math.round(50_000 * scale), await busesOf()),
  orders: () => benchOrders(values.quick ? [100, 500] : [100, 1_000, 10_000]),
  growth: () => benchGrowth(values.quick ? [200, 1_000] : [1_000, 5_000, 10_000]),
  choreography: () => benchChoreography(Math.round(1_000 * scale)),
  levers: () => benchLevers(Math.round(1_000 * scale)),
  wave: () => benchWave(Math.round(5_000 * scale)),
  ids: () => benchIds(Math.round(30_000 * scale)),
};

const figures: Figure[] = [];
try {
  for (const section of SECTIONS) {
    if (!wanted.includes(section)) continue;
    const measured = await sections[section]();
    figures.push(...measured);
    console.table(
      measured.map(({ section: within, name, value, unit, ratio }) => ({
        section: within,
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
