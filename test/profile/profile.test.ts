import test from 'ava';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  completeUpdate,
  markInProgressSignal,
  markInProgressUpdate,
  profileStateQuery,
  profileWorkflowId,
  reactivateSignal,
  reactivateUpdate,
  suspendUpdate,
  unsuspendUpdate,
  userDeletedSignal,
  type ProfileView,
} from '../../src/workflows/profile/profile.messages.ts';
import { fileScope } from '../support/file-scope.ts';
import { startTimeSkippingTemporal } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import { createUserWorld, refusalOf, TENANT, type UserWorld } from '../support/user-world.ts';

const DAY = 86_400_000;
type Context = { env: TestWorkflowEnvironment; world: UserWorld };
let context: Context;

const scope = fileScope();
test.before(async () => {
  const temporal = await startTimeSkippingTemporal(scope);
  context = { env: temporal.env, world: await createUserWorld(scope, { temporal }) };
});

async function registered({ env, world }: Context, deadlineDays = 7) {
  const now = await env.currentTimeMs();
  const userId = await world.insertUser({ now, deadlineDays });
  await world.startProfile(userId);
  return { userId, now, handle: world.client.workflow.getHandle(profileWorkflowId(userId)) };
}
/** Reads the state once the workflow has taken what was sent before. */
async function state(handle: WorkflowHandle): Promise<ProfileView> {
  const view = await handle.query(profileStateQuery);
  if (view === null) throw new Error('not loaded');
  return view;
}
const customer = { customerId: 'c-1', customerKind: 'company' } as const;

test.serial('profile reminds at J-5, J-3 and J-1 and expires at the deadline, each told once', async (t) => {
  const { env, world } = context;
  const { userId, now, handle } = await registered(context);
  await env.sleep(8 * DAY);
  const row = await world.row(userId);
  t.like(row, { status: 'inactive', profileCompletionStatus: 'expired', profileCompletionReminders: 3 });
  const told = await world.db.inTenant(TENANT, (tx) =>
    tx.notification.findMany({ where: { userId }, orderBy: { createdAt: 'asc' } }),
  );
  t.deepEqual(
    told.map(({ kind, mark, status }) => [kind, mark, status]),
    [
      ['profile_reminder', 5, 'kept'],
      ['profile_reminder', 3, 'kept'],
      ['profile_reminder', 1, 'kept'],
      ['profile_expired', 0, 'kept'],
    ],
  );
  t.true(told.every(({ deadline }) => deadline.getTime() === now + 7 * DAY));
  t.like(await state(handle), { status: 'inactive', nextDueAt: null });
  t.is((await handle.describe()).status.name, 'RUNNING', 'it stays open, so that a signal finds it');
});

test.serial(
  'profile completes by Update, ties the customer, tells user sync of the new version, and reminds no more',
  async (t) => {
    const { env, world } = context;
    const { userId, handle } = await registered(context);
    t.like(await handle.executeUpdate(markInProgressUpdate), {
      status: 'pending_profile',
      profileCompletionStatus: 'in_progress',
    });
    const view = await handle.executeUpdate(completeUpdate, { args: [customer] });
    t.like(view, {
      status: 'active',
      profileCompletionStatus: 'completed',
      profileCompletionDeadline: null,
      nextDueAt: null,
    });
    const row = await world.row(userId);
    t.like(row, {
      status: 'active',
      customerId: 'c-1',
      companyId: 'c-1',
      financialInstitutionId: null,
      profileCompletionDeadline: null,
      version: 2,
    });
    t.truthy(row.profileCompletedAt);
    await env.sleep(8 * DAY);
    t.like(await world.row(userId), { status: 'active', profileCompletionReminders: 0 });
  },
);

test.serial(
  'profile refuses an illegal Update with its code and keeps an illegal signal with its reason',
  async (t) => {
    const { world } = context;
    const { userId, handle } = await registered(context);
    t.is(
      await refusalOf(t, handle.executeUpdate(reactivateUpdate, { args: [{ extensionDays: 7 }] })),
      'profile_not_expired',
    );
    t.is(await refusalOf(t, handle.executeUpdate('complete', { args: [{ customerId: '' }] })), 'invalid_payload');
    await handle.signal(reactivateSignal, { extensionDays: 7 });
    await handle.signal('reactivate', { extensionDays: 'many' });
    await handle.signal('complete');
    await handle.signal('complete', { customerId: 'a\0b', customerKind: 'company' });
    await handle.signal('makeCoffee');
    await handle.cancel();
    await handle.signal(markInProgressSignal);
    await until(async () => (await state(handle)).profileCompletionStatus === 'in_progress', {
      what: 'the command after the cancellation',
    });
    const { refused } = await state(handle);
    t.deepEqual(
      refused.map(({ name, code }) => `${name} ${code}`).toSorted((a, b) => a.localeCompare(b)),
      [
        'cancel cancellation_refused',
        'complete invalid_payload',
        'complete invalid_payload',
        'makeCoffee unknown_signal',
        'reactivate invalid_payload',
        'reactivate profile_not_expired',
      ],
    );
    t.like(await handle.executeUpdate(completeUpdate, { args: [customer] }), { status: 'active' });
    t.like(await world.row(userId), { status: 'active' });
  },
);

test.serial(
  'profile takes reactivate as a signal: a new deadline, the former status, a fresh set of reminders',
  async (t) => {
    const { env, world } = context;
    const { userId, handle } = await registered(context);
    await handle.executeUpdate(markInProgressUpdate);
    await env.sleep(8 * DAY);
    const now = await env.currentTimeMs();
    await handle.signal(reactivateSignal, { extensionDays: 7 });
    await env.sleep(1_000);
    const row = await world.row(userId);
    t.like(row, { status: 'pending_profile', profileCompletionStatus: 'in_progress', profileCompletionReminders: 0 });
    t.true(Math.abs(row.profileCompletionDeadline!.getTime() - (now + 7 * DAY)) < 60_000);
    await env.sleep(8 * DAY);
    t.like(await world.row(userId), { status: 'inactive', profileCompletionReminders: 3 });
  },
);

test.serial('profile pauses reminders while suspended, not the deadline', async (t) => {
  const { env, world } = context;
  const { userId, handle } = await registered(context);
  t.like(await handle.executeUpdate(suspendUpdate), { status: 'suspended', profileCompletionStatus: 'not_started' });
  await env.sleep(8 * DAY);
  t.like(await world.row(userId), { status: 'suspended', profileCompletionReminders: 0 });
  t.like(await handle.executeUpdate(unsuspendUpdate), { status: 'inactive', profileCompletionStatus: 'expired' });
});

test.serial('profile ends when its user is deleted', async (t) => {
  const { handle } = await registered(context);
  await handle.signal(userDeletedSignal);
  await handle.result();
  t.is((await handle.describe()).status.name, 'COMPLETED');
});

test.serial('profile begins with what the row says and takes the row over from an earlier run', async (t) => {
  const { world } = context;
  const { userId, handle } = await registered(context);
  await handle.executeUpdate(markInProgressUpdate);
  const before = await world.row(userId);
  await handle.terminate('by hand');
  await world.startProfile(userId);
  const view = await handle.executeUpdate(completeUpdate, { args: [customer] });
  t.is(view?.status, 'active');
  t.true((await world.row(userId)).profileRevision > before.profileRevision + 1);
});

test.serial('profile shows operators its statuses and deadline as search attributes', async (t) => {
  const { now, handle } = await registered(context);
  await handle.executeUpdate(markInProgressUpdate);
  const { searchAttributes } = await handle.describe();
  t.deepEqual(searchAttributes['UserStatus'], ['pending_profile']);
  t.deepEqual(searchAttributes['ProfileStatus'], ['in_progress']);
  t.deepEqual(searchAttributes['ProfileDeadline'], [new Date(now + 7 * DAY)]);
});
