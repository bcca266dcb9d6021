import test from 'ava';
import { remindersOf } from '../../src/domain/profile/reminders.ts';
import { shareOf } from '../../src/domain/shared/spread.ts';
import { profileStateQuery, profileWorkflowId } from '../../src/workflows/profile/profile.messages.ts';
import { until } from '../support/until.ts';
import { createUserWorld } from '../support/user-world.ts';

const SPREAD_MS = 30 * 60_000;

test('users with one deadline are reminded within half an hour of the hour, each at a time of its own', async (t) => {
  const world = await createUserWorld(t, { settings: { REMINDER_HOUR: '10' } });
  const now = Date.now();
  const marks = { marksDays: [5, 3, 1], hour: 10, timeZone: 'UTC' };
  const mark = remindersOf(now + 7 * 86_400_000, marks).find(({ markAt }) => markAt > now)?.markAt ?? 0;
  const nextDueAt = async (): Promise<number> => {
    const userId = await world.insertUser({ now });
    await world.startProfile(userId);
    const state = () => world.client.workflow.getHandle(profileWorkflowId(userId)).query(profileStateQuery);
    await until(async () => (await state()) !== null, { what: 'the state' });
    const dueAt = Date.parse((await state())?.nextDueAt ?? '');
    t.is(dueAt, mark + Math.floor(SPREAD_MS * shareOf(userId)));
    return dueAt;
  };
  const due = await Promise.all(Array.from({ length: 8 }, nextDueAt));
  t.is(new Set(due).size, 8);
  for (const at of due) t.true(at >= mark && at < mark + SPREAD_MS);
});
