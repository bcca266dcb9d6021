import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import test from 'ava';
import { createProfileActivities } from '../../src/activities/profile/profile.ts';
import { createUserSyncActivities } from '../../src/activities/user-sync/user-sync.ts';
import { evolveProfile } from '../../src/domain/profile/profile.ts';
import { evolveUserSync } from '../../src/domain/user-sync/user-sync.ts';
import { read, userOf } from './end-state.ts';
import { createCrashWorld, plant, SERVICES, TENANT } from './crash-world.ts';

// What a workflow does whose worker dies between writing a step and saying so: the next attempt, in the same run and
// under the same revision, also decides on the signals that came meanwhile.

test('saveUserSync writes what a repeated step has decided on beyond its first attempt', async (t) => {
  const world = await createCrashWorld(t);
  const activities = createUserSyncActivities({ db: world.db, config: world.config });
  const userId = randomUUID();
  await plant(world, { userId, workflow: 'userSync', deadline: new Date(), services: SERVICES });
  const loaded = await activities.loadUserSync({ tenantId: TENANT, userId });
  if (loaded === null) throw new Error('the user is missing');
  const inRun = oneRun();
  const save = (services: readonly string[], publishTo: readonly string[]) => {
    const sync = services.reduce(
      (state, service) => evolveUserSync(state, { type: 'ServiceConfirmed', service, at: 1 }),
      loaded.sync,
    );
    const settled = services.length === SERVICES.length ? evolveUserSync(sync, { type: 'Synced' }) : sync;
    const step = { tenantId: TENANT, userId, sync: settled, revision: loaded.revision + 1, publishTo, isFirst: true };
    return inRun(() => activities.saveUserSync(step));
  };

  await save(['accounting'], ['portfolio']);
  await save(['accounting'], ['portfolio']);
  t.is(
    await read(world.system, (tx) => tx.outgoingMessage.count()),
    1,
    'a repetition that says the same is published once',
  );
  await save(['accounting', 'portfolio'], ['accounting', 'portfolio']);
  const { syncStatus, syncRevision, services } = await userOf(world.system, userId);
  t.deepEqual({ syncStatus, syncRevision }, { syncStatus: 'synced', syncRevision: loaded.revision + 1 });
  t.true(services.every(({ confirmedVersion }) => confirmedVersion === 1));
  t.is(await read(world.system, (tx) => tx.outgoingMessage.count()), 2, 'one that says more is published, too');
});

test('saveProfile writes what a repeated step decided beyond its first attempt, and tells nobody twice', async (t) => {
  const world = await createCrashWorld(t, { settings: { SMTP_URL: 'smtp://127.0.0.1:1' } });
  const activities = createProfileActivities({ db: world.db, config: world.config });
  const userId = randomUUID();
  const deadline = Date.now() + 86_400_000;
  await plant(world, { userId, workflow: 'profile', deadline: new Date(deadline), services: [] });
  const loaded = await activities.loadProfile({ tenantId: TENANT, userId });
  if (loaded === null) throw new Error('the user is missing');
  const inRun = oneRun();
  const save = (events: readonly Parameters<typeof evolveProfile>[1][]) => {
    const profile = events.reduce(evolveProfile, loaded.profile);
    return inRun(() =>
      activities.saveProfile({ tenantId: TENANT, userId, profile, revision: loaded.revision + 1, events }),
    );
  };
  const reminded = { type: 'ReminderFellDue', at: Date.now(), markDays: 1, deadline } as const;
  const completed = { type: 'ProfileCompleted', at: Date.now(), customer: { id: 'c-1', kind: 'company' } } as const;

  const { notificationIds } = await save([reminded]);
  t.is(notificationIds.length, 1);
  await world.db.inTenant(TENANT, (tx) =>
    tx.user.updateMany({ where: { id: userId }, data: { email: 'new@example.com' } }),
  );
  t.deepEqual((await save([reminded, completed])).notificationIds, notificationIds);
  t.like(await userOf(world.system, userId), {
    status: 'active',
    profileCompletionStatus: 'completed',
    companyId: 'c-1',
    profileCompletionReminders: 1,
    version: 2,
  });
  await save([reminded, completed]);
  t.is((await userOf(world.system, userId)).version, 2);
  t.is(await read(world.system, (tx) => tx.notification.count()), 1);
  // The first task of a workflow begins again by loading what it wrote: nothing is due then, and yet nobody was told.
  t.deepEqual((await activities.loadProfile({ tenantId: TENANT, userId }))?.notificationIds, notificationIds);
});

/** Calls activities as one run of a workflow does. */
function oneRun(): <Result>(call: () => Promise<Result>) => Promise<Result> {
  const environment = new MockActivityEnvironment();
  return async (call) => {
    const results: Awaited<ReturnType<typeof call>>[] = [];
    await environment.run(async () => {
      results.push(await call());
    });
    return results[0]!;
  };
}
