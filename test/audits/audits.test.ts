import { randomUUID } from 'node:crypto';
import test from 'ava';
import type { AuditReport, CleanupReport } from '../../src/workflows/audits/audits.messages.ts';
import {
  BULK_WORKFLOW,
  bulkProgressQuery,
  bulkWorkflowId,
  type BulkInput,
} from '../../src/workflows/bulk/bulk-command.messages.ts';
import {
  markInProgressUpdate,
  profileStateQuery,
  profileWorkflowId,
  suspendUpdate,
  unsuspendUpdate,
} from '../../src/workflows/profile/profile.messages.ts';
import { confirmedUpdate, userSyncWorkflowId } from '../../src/workflows/user-sync/user-sync.messages.ts';
import { fileScope } from '../support/file-scope.ts';
import { until } from '../support/until.ts';
import { createUserWorld, refusalOf, TENANT, type UserWorld } from '../support/user-world.ts';

const scope = fileScope();
let context: { world: UserWorld };

test.before(async () => {
  context = { world: await createUserWorld(scope, { settings: { BULK_RATE_PER_SECOND: '100' } }) };
});

async function registered(world: UserWorld, { deadlineDays = 7, services = ['accounting', 'portfolio'] } = {}) {
  const userId = await world.insertUser({ now: Date.now(), deadlineDays, services });
  await world.startProfile(userId);
  await world.startUserSync(userId);
  const profile = world.client.workflow.getHandle(profileWorkflowId(userId));
  await until(async () => (await profile.query(profileStateQuery)) !== null, { what: 'the profile' });
  return { userId, profile, sync: world.client.workflow.getHandle(userSyncWorkflowId(userId)) };
}
async function audit<Report = AuditReport>({ client, config }: UserWorld, name: string): Promise<Report> {
  return client.workflow.execute<() => Promise<Report>>(name, {
    workflowId: `${name}:${randomUUID()}`,
    taskQueue: config.TASK_QUEUE,
  });
}
/** Waits until the listing, which lags, shows as many open workflows as there are. */
async function untilListed({ client, config }: UserWorld, open: number): Promise<void> {
  const query = `TaskQueue = "${config.TASK_QUEUE}" AND ExecutionStatus = "Running"
    AND WorkflowType IN ("profile", "userSync")`;
  await until(async () => (await client.workflow.count(query)).count === open, {
    what: `${open} open workflows listed`,
  });
}

test.serial(
  'profileAudit brings a terminated workflow back in the state of its row, and syncAudit the copies',
  async (t) => {
    const { world } = context;
    const { userId, profile, sync } = await registered(world);
    await profile.executeUpdate(markInProgressUpdate);
    await sync.executeUpdate(confirmedUpdate, { args: [{ service: 'accounting' }] });
    await untilListed(world, 2);
    t.deepEqual(await audit(world, 'profileAudit'), { checked: 1, restarted: 0, rewritten: 0, failed: 0 });
    await profile.terminate('by hand');
    await sync.terminate('by hand');
    await untilListed(world, 0);
    t.like(await audit(world, 'profileAudit'), { restarted: 1 });
    t.like(await audit(world, 'syncAudit'), { restarted: 1 });
    await until(async () => (await profile.query(profileStateQuery))?.profileCompletionStatus === 'in_progress', {
      what: 'the profile',
    });
    t.like(await sync.executeUpdate(confirmedUpdate, { args: [{ service: 'portfolio' }] }), { syncStatus: 'synced' });
    t.like(await world.row(userId), { profileCompletionStatus: 'in_progress', syncStatus: 'synced' });
  },
);

test.serial('profileAudit has a row that disagrees with its open workflow written again', async (t) => {
  const { world } = context;
  const { userId } = await registered(world);
  await untilListed(world, 4);
  await world.db.inTenant(TENANT, (tx) =>
    tx.user.update({ where: { tenantId_id: { tenantId: TENANT, id: userId } }, data: { status: 'active' } }),
  );
  t.like(await audit(world, 'profileAudit'), { rewritten: 1 });
  await until(async () => (await world.row(userId)).status === 'pending_profile', { what: 'the row' });
  t.pass();
});

test.serial('profileAudit finds a deadline that was changed by hand, and writes nothing when all agrees', async (t) => {
  const { world } = context;
  const { userId } = await registered(world);
  await untilListed(world, 6);
  t.like(await audit(world, 'profileAudit'), { rewritten: 0 });
  const { profileCompletionDeadline } = await world.row(userId);
  await world.db.inTenant(TENANT, (tx) =>
    tx.user.update({
      where: { tenantId_id: { tenantId: TENANT, id: userId } },
      data: { profileCompletionDeadline: new Date(0) },
    }),
  );
  t.like(await audit(world, 'profileAudit'), { rewritten: 1 });
  await until(
    async () => (await world.row(userId)).profileCompletionDeadline?.getTime() === profileCompletionDeadline?.getTime(),
    { what: 'the row' },
  );
});

test.serial('an audit goes on past a workflow that does not answer', async (t) => {
  const { world } = context;
  const silent = await world.insertUser({ now: Date.now() });
  const next = await world.insertUser({ now: Date.now() });
  await world.client.workflow.start('profile', {
    workflowId: profileWorkflowId(silent),
    taskQueue: 'nobody-polls-this',
    args: [{ tenantId: TENANT, userId: silent }],
  });
  await until(
    async () => (await world.client.workflow.count(`WorkflowId = "${profileWorkflowId(silent)}"`)).count === 1,
    { what: 'the silent workflow listed' },
  );
  t.like(await audit(world, 'profileAudit'), { failed: 1, restarted: 1 });
  await until(
    async () => (await world.client.workflow.getHandle(profileWorkflowId(next)).query(profileStateQuery)) !== null,
    { what: 'the next user' },
  );
  await world.client.workflow.getHandle(profileWorkflowId(silent)).terminate('done');
  await world.db.inTenant(TENANT, (tx) =>
    tx.user.updateMany({ where: { id: { in: [silent, next] } }, data: { deletedAt: new Date() } }),
  );
});

test.serial('a workflow that is behind its row takes the row over', async (t) => {
  const { world } = context;
  const { userId, profile } = await registered(world);
  await world.db.inTenant(TENANT, (tx) =>
    tx.user.update({
      // What a workflow wrote that a restore of Temporal has forgotten
      where: { tenantId_id: { tenantId: TENANT, id: userId } },
      data: {
        profileRevision: 100,
        status: 'active',
        profileCompletionStatus: 'completed',
        profileCompletedAt: new Date(),
        profileCompletionDeadline: null,
        customerId: 'c-1',
        customerKind: 'company',
      },
    }),
  );
  t.like(await audit(world, 'profileAudit'), { rewritten: 1 });
  await until(async () => (await profile.query(profileStateQuery))?.status === 'active', {
    what: 'the row taken over',
  });
  t.is(await refusalOf(t, profile.executeUpdate(markInProgressUpdate)), 'profile_already_completed');
  t.like(await world.row(userId), { status: 'active', customerId: 'c-1' });
});

test.serial(
  'rows that are behind their workflow are written again, and what changed meanwhile is published above all versions',
  async (t) => {
    const { world } = context;
    const { userId, sync } = await registered(world);
    const update = (data: object) =>
      world.db.inTenant(TENANT, (tx) =>
        tx.user.update({ where: { tenantId_id: { tenantId: TENANT, id: userId } }, data }),
      );
    await update({ version: 4 });
    await sync.signal('userChanged', { version: 4 });
    for (const service of ['accounting', 'portfolio'])
      await sync.executeUpdate(confirmedUpdate, { args: [{ service, userVersion: 4 }] });
    // Restored, and changed since
    await update({ version: 3, syncRevision: 1, syncedVersion: 2, syncStatus: 'in_progress' });
    t.like(await audit(world, 'syncAudit'), { rewritten: 1 });
    await until(async () => (await world.row(userId)).syncedVersion === 5, {
      what: 'a version above all that were published',
    });
    t.like(await world.row(userId), { version: 5, syncStatus: 'in_progress' });
  },
);

test.serial('syncAudit adds a service that the setting gained', async (t) => {
  const { world } = context;
  const { userId, sync } = await registered(world, { services: ['accounting'] });
  await sync.executeUpdate(confirmedUpdate, { args: [{ service: 'accounting' }] });
  await audit(world, 'syncAudit');
  await until(async () => (await world.row(userId)).syncStatus === 'in_progress', {
    what: 'the emission to the new service',
  });
  t.like(await sync.executeUpdate(confirmedUpdate, { args: [{ service: 'portfolio' }] }), {
    syncStatus: 'synced',
    syncedServices: ['accounting', 'portfolio'],
  });
});

test.serial('cleanup removes what has had its time and nothing else', async (t) => {
  const { world } = context;
  const inboxRow = (messageId: string, processedAt: Date) => ({
    tenantId: TENANT,
    consumer: 'c',
    messageId,
    processedAt,
  });
  await world.db.inTenant(TENANT, async (tx) => {
    await tx.inboxMessage.createMany({ data: [inboxRow('old', new Date(0)), inboxRow('new', new Date())] });
    await tx.deadLetter.create({
      data: {
        tenantId: TENANT,
        id: randomUUID(),
        source: 's',
        type: 't',
        cause: 'c',
        detail: '',
        messageId: 'm',
        key: 'k',
        payload: '',
        parkedAt: new Date(0),
      },
    });
  });
  t.like(await audit<CleanupReport>(world, 'cleanup'), { inbox_messages: 1, dead_letters: 0, outgoing_messages: 0 });
  const left = await world.db.inTenant(TENANT, (tx) => tx.inboxMessage.findMany({ select: { messageId: true } }));
  t.deepEqual(left, [{ messageId: 'new' }]);
});

test.serial('cleanup removes what messages say of a deleted user, but for the deletion', async (t) => {
  const { world } = context;
  const deleted = await world.insertUser({ now: Date.now() });
  const kept = await world.insertUser({ now: Date.now() });
  const message = (topic: string, key: string) => ({
    tenantId: TENANT,
    messageId: randomUUID(),
    topic,
    key,
    partition: 0,
    payload: {},
  });
  await world.system.acrossTenants(async (tx) => {
    await tx.user.update({
      where: { tenantId_id: { tenantId: TENANT, id: deleted } },
      data: { deletedAt: new Date() },
    });
    for (const data of [
      message('user.created', deleted),
      message('user.deleted', deleted),
      message('user.created', kept),
    ]) {
      await tx.outgoingMessage.create({ data });
    }
  });
  await audit(world, 'cleanup');
  const left = await world.db.inTenant(TENANT, (tx) =>
    tx.outgoingMessage.findMany({ where: { key: { in: [deleted, kept] } }, orderBy: { position: 'asc' } }),
  );
  t.deepEqual(
    left.map(({ topic, key }) => [topic, key]),
    [
      ['user.deleted', deleted],
      ['user.created', kept],
    ],
  );
});

test.serial('bulkCommand signals every user of the filter, page by page, and shows its progress', async (t) => {
  const { world } = context;
  const users = await Promise.all([1, 2, 3].map(() => registered(world, { deadlineDays: 0 })));
  await until(
    async () =>
      (await Promise.all(users.map(({ userId }) => world.row(userId)))).every(({ status }) => status === 'inactive'),
    { what: 'expiry' },
  );
  const input: BulkInput = {
    tenantId: TENANT,
    filter: { profileCompletionStatus: 'expired' },
    command: { name: 'reactivate', extensionDays: 3 },
    requestedBy: 'boss',
  };
  const handle = await world.client.workflow.start(BULK_WORKFLOW, {
    workflowId: bulkWorkflowId({ tenantId: TENANT, operationId: randomUUID() }),
    taskQueue: world.config.TASK_QUEUE,
    args: [input],
  });
  t.deepEqual(await handle.result(), { state: 'completed', matched: 3, signalled: 3 });
  t.deepEqual(await handle.query(bulkProgressQuery), { state: 'completed', matched: 3, signalled: 3 });
  await until(
    async () =>
      (await Promise.all(users.map(({ userId }) => world.row(userId)))).every(
        ({ status }) => status === 'pending_profile',
      ),
    { what: 'reactivation' },
  );
});

test.serial('profile continues as new with its state, its revision and what it refused', async (t) => {
  const { world } = context;
  const { userId, profile } = await registered(world);
  const { runId } = await profile.describe();
  await profile.signal('makeCoffee');
  let rounds = 0;
  while ((await profile.describe()).runId === runId && rounds < 50) {
    await profile.executeUpdate(suspendUpdate);
    await profile.executeUpdate(unsuspendUpdate);
    rounds += 1;
  }
  t.true(rounds < 50, 'it continued as new');
  t.like(await profile.executeUpdate(markInProgressUpdate), {
    status: 'pending_profile',
    profileCompletionStatus: 'in_progress',
  });
  const view = await profile.query(profileStateQuery);
  t.deepEqual(
    view?.refused.map(({ name }) => name),
    ['makeCoffee'],
  );
  t.is(view?.revision, (await world.row(userId)).profileRevision);
});

test.serial('the audit alerts on a workflow that does not move, and takes it back when it does', async (t) => {
  const { world } = context;
  const userId = await world.insertUser({ now: Date.now() });
  const [profileId, syncId] = [profileWorkflowId(userId), userSyncWorkflowId(userId)];
  for (const [type, workflowId] of [
    ['profile', profileId],
    ['userSync', syncId],
  ] as const) {
    await world.client.workflow.start(type, {
      workflowId,
      taskQueue: `nobody-polls-${userId}`,
      args: [{ tenantId: TENANT, userId }],
    });
    await until(async () => (await world.client.workflow.count(`WorkflowId = "${workflowId}"`)).count === 1, {
      what: 'the workflow listed',
    });
  }
  const open = () =>
    world.db.inTenant(TENANT, (tx) => tx.alert.findMany({ where: { kind: 'workflow_stuck', openKey: { not: null } } }));
  await audit(world, 'profileAudit');
  await audit(world, 'syncAudit');
  t.deepEqual(
    (await open()).map(({ openKey }) => String(openKey)).toSorted(),
    [`workflow_stuck:${profileId}`, `workflow_stuck:${syncId}`].toSorted(),
  );
  for (const workflowId of [profileId, syncId]) await world.client.workflow.getHandle(workflowId).terminate('done');
  await audit(world, 'profileAudit');
  await audit(world, 'syncAudit');
  t.deepEqual(await open(), []);
});
