import type { WorkflowHandle } from '@temporalio/client';
import type { NewLeg } from '../../src/db/routing-slips/check-itinerary.ts';
import { BY } from '../support/saga-world.ts';
import { leg, type CallEnding, type Slip, type SlipWorld } from '../support/slip-world.ts';
import { until } from '../support/until.ts';

const note = (text: unknown) => leg('note', { text });

async function carried(
  world: SlipWorld,
  itinerary: readonly NewLeg[],
  { status, calls = [] }: { status: string; calls?: readonly CallEnding[] },
): Promise<{ slip: Slip; handle: WorkflowHandle }> {
  const slip = await world.send(itinerary, {}, calls);
  await until(async () => (await slip.row()).status === status, { what: status });
  return { slip, handle: world.client.workflow.getHandle(slip.workflowId) };
}
async function ended(handle: WorkflowHandle): Promise<readonly WorkflowHandle[]> {
  await handle.result().catch(() => {});
  return [handle];
}

/** The ways that routing slips go, by the name of the fixture. */
export const SLIP_SCENARIOS: Readonly<Record<string, (world: SlipWorld) => Promise<readonly WorkflowHandle[]>>> = {
  'routing-slip-revised-and-completed': async (world) => {
    const legs = [note('a'), leg('revise', { keep: [1], notes: ['b'] }), note('c'), leg('call', { text: 'd' })];
    return ended((await carried(world, legs, { status: 'completed', calls: ['fail'] })).handle);
  },

  'routing-slip-refused-and-undone': async (world) => {
    const legs = [note('a'), leg('call', { text: 'b' }), note('c'), leg('refuse')];
    return ended((await carried(world, legs, { status: 'compensated' })).handle);
  },

  'routing-slip-without-its-activity': async (world) => {
    const { functions } = world;
    const { note: known } = functions;
    if (known === undefined) throw new Error('there is no such activity');
    delete functions['note'];
    const { handle } = await carried(world, [leg('call', { text: 'a' }), note('b'), note('c')], {
      status: 'step_failed',
    });
    functions['note'] = known;
    await handle.executeUpdate('skipStep', { args: [BY] });
    return ended(handle);
  },
};
