import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import test from 'ava';
import { createProfileActivities } from '../../src/activities/profile/profile.ts';
import type { ProfileChange } from '../../src/workflows/profile/profile.activities.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createDatabase, openTestDb } from '../support/services.ts';

const tenantId = 'test';

test('saveProfile, asked again after the user changed its address, tells nobody twice', async (t) => {
  const database = await createDatabase();
  const db = openTestDb(database.url, 5);
  t.teardown(async () => {
    await db.close();
    await database.drop();
  });
  const userId = randomUUID();
  const deadline = Date.now() + 86_400_000;
  await db.inTenant(tenantId, (tx) =>
    tx.user.create({
      data: {
        tenantId,
        id: userId,
        authSubject: userId,
        email: 'old@example.com',
        profileCompletionDeadline: new Date(deadline),
      },
    }),
  );
  const activities = createProfileActivities({ db, config: loadConfig({ SMTP_URL: 'smtp://127.0.0.1:1' }) });
  const saveProfile = (step: ProfileChange) => activities.saveProfile(step);
  const change: ProfileChange = {
    tenantId,
    userId,
    revision: 1,
    events: [{ type: 'ReminderFellDue', at: Date.now(), markDays: 1, deadline }],
    profile: { kind: 'pending', started: false, deadline, reminders: 1, settledUntil: Date.now() },
  };
  const run = async (info?: object): ReturnType<typeof saveProfile> =>
    new MockActivityEnvironment(info).run<[ProfileChange], Awaited<ReturnType<typeof saveProfile>>, typeof saveProfile>(
      saveProfile,
      change,
    );
  const first = await run();
  await db.inTenant(tenantId, (tx) => tx.user.updateMany({ data: { email: 'new@example.com' } }));
  t.deepEqual((await run()).notificationIds, first.notificationIds);
  t.is(await db.inTenant(tenantId, (tx) => tx.notification.count()), 1);

  const ofAnotherRun = await run({ workflowExecution: { workflowId: 'profile', runId: 'another' } });
  t.like(ofAnotherRun, { isSuperseded: true, notificationIds: [] });
});
