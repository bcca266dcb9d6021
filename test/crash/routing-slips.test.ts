import test, { type ExecutionContext } from 'ava';
import type { NewLeg } from '../../src/db/routing-slips/check-itinerary.ts';
import { spawnWorker, type Extra, type TestProcess } from '../support/processes.ts';
import { createEffects } from '../support/saga-world.ts';
import { leg, sendSlip, type Slip } from '../support/slip-world.ts';
import type { World } from '../support/world.ts';
import { createCrashWorld } from './crash-world.ts';
import { untilEach } from './end-state.ts';
import { walk } from './walk.ts';

const TIMEOUT_MS = 600_000;
const note = (text: unknown) => leg('note', { text });
const last = { $variable: 'noted' };

test('a worker killed at any statement of a slip takes each leg once, and tells and revises it once', async (t) => {
  const { slips, points } = await walkThrough(t, 'completed', [
    note('a'),
    leg('revise', { keep: [1], notes: ['new'] }),
    note('dropped'),
    leg('call', { text: last }),
  ]);
  const statements = ['routing_slip_legs', 'SAVEPOINT leg', 'effects', 'WITH given', 'WITH appended', 'COMMIT'];
  for (const statement of statements)
    t.true(
      points.some((point) => point.includes(statement)),
      statement,
    );
  for (const slip of slips) {
    const effects = await slip.effects();
    t.deepEqual(effects.slice(0, 2), ['1:note a', '5:note new'], slip.processId);
    t.true(effects.length > 2 && effects.slice(2).every((effect) => effect.startsWith('4:call new')), slip.processId);
    t.deepEqual(await slip.variables(), { noted: 'new' });
    t.deepEqual(await slip.messages(), [
      'RoutingSlipActivityCompleted 1:note',
      'RoutingSlipActivityCompleted 2:revise',
      'RoutingSlipRevised 2:revise',
      'RoutingSlipActivityCompleted 5:note',
      'RoutingSlipActivityCompleted 4:call',
      'RoutingSlipCompleted',
    ]);
  }
});

test('a worker killed at any statement of a slip that turns back tells and undoes each leg once', async (t) => {
  const { slips } = await walkThrough(t, 'compensated', [
    note('a'),
    leg('call', { text: last }),
    note('b'),
    leg('refuse'),
  ]);
  for (const slip of slips) {
    const effects = await slip.effects();
    // Another system may be called again, with the name of the leg.
    const local = effects.filter((effect) => !effect.includes(':call'));
    const undos = ['undo 3:note b {"noted":"b"}', 'undo 1:note a {"noted":"a"}'];
    t.deepEqual(local, ['1:note a', '3:note b', ...undos], slip.processId);
    t.true(
      effects.findLastIndex((effect) => effect.startsWith('2:call')) < effects.indexOf('undo 2:call a {"said":"a"}'),
    );
    t.deepEqual(
      (await slip.events()).filter((event) => event.startsWith('StepCompensated')),
      ['StepCompensated 3:note', 'StepCompensated 2:call', 'StepCompensated 1:note'],
    );
    t.deepEqual((await slip.messages()).slice(3), [
      'RoutingSlipActivityFaulted 4:refuse',
      'RoutingSlipActivityCompensated 3:note',
      'RoutingSlipActivityCompensated 2:call',
      'RoutingSlipActivityCompensated 1:note',
      'RoutingSlipFaulted',
    ]);
  }
});

/** Kills workers at every statement of slips with this itinerary, and answers how these ended. */
async function walkThrough(
  t: ExecutionContext,
  status: 'completed' | 'compensated',
  itinerary: readonly NewLeg[],
): Promise<{ slips: Slip[]; points: string[] }> {
  t.timeout(TIMEOUT_MS);
  const world = await createCrashWorld(t);
  await createEffects(world.databaseUrl);
  const slips = new Map<string, Slip>();
  const isDone = async (processId: string): Promise<boolean> => (await slips.get(processId)?.row())?.status === status;
  const { targets, points, kills } = await walk({
    world,
    start: spawnSlipWorker,
    from: /process_states/,
    isDone,
    begin: async (processIds) => {
      for (const processId of processIds) slips.set(processId, await sendSlip(world, processId, itinerary));
    },
  });
  t.log(`${points.length} points, ${kills} processes killed`);
  await spawnSlipWorker(world);
  await untilEach(targets, isDone, status);
  return { slips: [...slips.values()], points };
}

const spawnSlipWorker = (world: World, extra: Extra = {}): Promise<TestProcess> =>
  spawnWorker(world, { ...extra, entry: 'test/crash/slip-worker.ts' });
