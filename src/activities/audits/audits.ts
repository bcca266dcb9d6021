import { heartbeat, log } from '@temporalio/activity';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import type { Config } from '../../config/config.ts';
import type { Db, SystemDb } from '../../postgres/client.ts';
import type { Prisma, User } from '../../postgres/generated/client.ts';
import { removeExpired } from '../../maintenance/retention/retention.ts';
import { repairCounts } from '../../db/row-counts.ts';
import { alertedWorkflows, watchWorkflow, type WatchedWorkflow } from '../../maintenance/watchdog/watch-workflow.ts';
import { overdueNotifications } from '../../db/notifications/notifications.ts';
import { enqueueCalls } from '../../messaging/outbox/workflow-outbox.ts';
import { auditedUsers, type AuditedUser } from '../../db/users/audited-users.ts';
import { deletionOfCopies, enqueueUserChanged } from '../../db/users/user-changes.ts';
import { startOptions } from '../../temporal/start-options.ts';
import {
  PROFILE_WORKFLOW,
  profileStateQuery,
  profileWorkflowId,
  refreshSignal,
} from '../../workflows/profile/profile.messages.ts';
import {
  refreshSyncSignal,
  USER_SYNC_WORKFLOW,
  userSyncStateQuery,
  userSyncWorkflowId,
} from '../../workflows/user-sync/user-sync.messages.ts';
import type { AuditActivities, AuditPage } from '../../workflows/audits/audits.activities.ts';
import { createWatchdogActivities } from './process-watchdog.ts';

const PAGE_SIZE = 500;
const OVERDUE_MS = 15 * 60_000;

/**
 * Share, 0 to 1, of the open workflows that are queried for their whole state although their search attributes agree
 * with the row.
 */
const ASKED_SHARE = 0.05;
const ANSWER_DEADLINE_MS = 3_000;

/** What the audit of one workflow type needs besides what all audits share. */
interface AuditedKind {
  /** Users that have such a workflow. */
  readonly users: Prisma.UserWhereInput;
  readonly workflowType: string;
  workflowId(userId: string): string;
  readonly refreshSignal: string;
  /** Whether the search attributes agree with the row; they lag behind the workflow. */
  agrees(user: AuditedUser, attribute: (name: string) => unknown): boolean;
  /** Since when the row waits for the workflow, in milliseconds since the epoch; null: it does not. */
  behindSince(user: AuditedUser): number | null;
  /** Whether the workflow itself agrees with the row. */
  agreesNow(user: AuditedUser, client: Client): Promise<boolean>;
}

const PROFILES: AuditedKind = {
  users: { deletedAt: null },
  workflowType: PROFILE_WORKFLOW,
  workflowId: profileWorkflowId,
  refreshSignal: refreshSignal.name,
  agrees: (user, attribute) => {
    const deadline = attribute('ProfileDeadline');
    return (
      attribute('UserStatus') === user.status &&
      attribute('ProfileStatus') === user.profileCompletionStatus &&
      (user.profileCompletionStatus === 'expired' ||
        (deadline instanceof Date ? deadline.getTime() : null) === (user.profileCompletionDeadline?.getTime() ?? null))
    );
  },
  behindSince: ({ profileCompletionStatus: status, profileCompletionDeadline: deadline, status: account }) =>
    account !== 'suspended' && (status === 'not_started' || status === 'in_progress') && deadline !== null
      ? deadline.getTime()
      : null,
  agreesNow: async (user, client) => {
    const view = await client.workflow.getHandle(profileWorkflowId(user.id)).query(profileStateQuery);
    if (view === null) return true;
    const isDeadlineEqual =
      view.profileCompletionDeadline === null ||
      view.profileCompletionDeadline === user.profileCompletionDeadline?.toISOString();
    return (
      view.revision === user.profileRevision &&
      view.status === user.status &&
      isDeadlineEqual &&
      view.profileCompletionStatus === user.profileCompletionStatus &&
      view.profileCompletionReminders === user.profileCompletionReminders
    );
  },
};

const USER_SYNCS: AuditedKind = {
  users: { syncEndedAt: null },
  workflowType: USER_SYNC_WORKFLOW,
  workflowId: userSyncWorkflowId,
  refreshSignal: refreshSyncSignal.name,
  agrees: (user, attribute) => attribute('SyncStatus') === user.syncStatus,
  behindSince: ({ syncedVersion, version, updatedAt }) => (syncedVersion < version ? updatedAt.getTime() : null),
  agreesNow: async (user, client) => {
    const view = await client.workflow.getHandle(userSyncWorkflowId(user.id)).query(userSyncStateQuery);
    return (
      view === null ||
      (view.revision === user.syncRevision &&
        view.syncStatus === user.syncStatus &&
        view.syncRetryCount === user.syncRetryCount &&
        view.version === user.syncedVersion)
    );
  },
};

/** What the audits need. */
export interface AuditDeps {
  readonly db: Db;
  readonly system: SystemDb;
  readonly client: Client;
  readonly config: Config;
}

/** The activities of the audits, but for the hand-over of notifications. */
export function createAuditActivities(deps: AuditDeps): Omit<AuditActivities, 'deliverNotifications'> {
  return {
    auditProfiles: async ({ after }) => {
      const page = await auditPage(deps, PROFILES, after);
      if (page.next === null) await repairAllCounts(deps);
      return page;
    },
    auditUserSyncs: async ({ after }) => auditPage(deps, USER_SYNCS, after, (user) => repairSync(deps, user)),
    findOverdueNotifications: async () => {
      const overdue = await deps.system.acrossTenants((tx) => overdueNotifications(tx, OVERDUE_MS));
      return Object.entries(Object.groupBy(overdue, ({ tenantId }) => tenantId)).map(([tenantId, rows = []]) => ({
        tenantId,
        notificationIds: rows.map(({ id }) => id),
      }));
    },
    ...createWatchdogActivities(deps),
    cleanUp: () => removeExpired(deps, heartbeat),
  };
}

/** Each round of the profiles' audit ends with the counts of rows. */
async function repairAllCounts({ system }: AuditDeps): Promise<void> {
  for (const repair of await repairCounts(system.pool)) log.warn('a count was not what the rows say', { ...repair });
}

/**
 * Where both exist, an open workflow is right and has its row written again; without one, a workflow is started from
 * the row.
 */
async function auditPage(
  deps: AuditDeps,
  kind: AuditedKind,
  after: string | null,
  repair?: (user: AuditedUser) => Promise<void>,
): Promise<AuditPage> {
  const users = await deps.system.acrossTenants((tx) =>
    auditedUsers(tx, { where: kind.users, after, limit: PAGE_SIZE }),
  );
  const open = await openWorkflows(deps.client, kind, users);
  const silent = new Set<string>();
  const counts = { restarted: 0, rewritten: 0, failed: 0 };
  for (const user of users) {
    heartbeat();
    try {
      // One workflow that does not answer must not end the audit of the others.
      const repaired = await deps.client.withDeadline(Date.now() + ANSWER_DEADLINE_MS, () =>
        auditUser(deps, kind, user, open.get(kind.workflowId(user.id))),
      );
      if (repaired !== null) counts[repaired] += 1;
      await repair?.(user);
    } catch (error) {
      log.warn('a user could not be audited', { workflowId: kind.workflowId(user.id), error });
      counts.failed += 1;
      silent.add(user.id);
    }
  }
  await watchAll(deps, [
    ...(after === null ? await alertedWorkflows(deps, kind.workflowId('')) : []),
    ...users.flatMap((user) => {
      const [workflowId, behindSince] = [kind.workflowId(user.id), kind.behindSince(user)];
      const isDue = behindSince !== null && behindSince < Date.now() - deps.config.PROCESS_STUCK_AFTER_MS;
      const isToWatch = silent.has(user.id) || (open.has(workflowId) && (isDue || Math.random() < ASKED_SHARE));
      return isToWatch ? [{ tenantId: user.tenantId, workflowId, behindSince }] : [];
    }),
  ]);
  return { checked: users.length, ...counts, next: users.length < PAGE_SIZE ? null : (users.at(-1)?.id ?? null) };
}

/** Alerts on workflows that do not move; one that Temporal does not tell of must not end the audit. */
async function watchAll(deps: AuditDeps, all: readonly WatchedWorkflow[]): Promise<void> {
  for (const watched of all) {
    heartbeat();
    await watchWorkflow(deps, watched).catch((error: unknown) =>
      log.warn('a workflow could not be looked at', { workflowId: watched.workflowId, error }),
    );
  }
}

async function auditUser(
  deps: AuditDeps,
  kind: AuditedKind,
  user: AuditedUser,
  found: WorkflowExecutionInfo | undefined,
): Promise<'restarted' | 'rewritten' | null> {
  if (found === undefined) return (await startUnlessOpen(deps, kind, user)) ? 'restarted' : null;
  const values = new Map(found.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
  const isToAsk = !kind.agrees(user, (name) => values.get(name)) || Math.random() < ASKED_SHARE;
  return isToAsk && (await rewriteRow(deps, kind, user)) ? 'rewritten' : null;
}

/**
 * The open workflows of a page of users, by one listing of Temporal: workflow ids sort as user ids do, so a page is a
 * range.
 */
async function openWorkflows(
  client: Client,
  kind: AuditedKind,
  users: readonly User[],
): Promise<Map<string, WorkflowExecutionInfo>> {
  const open = new Map<string, WorkflowExecutionInfo>();
  const [first, last] = [users[0], users.at(-1)];
  if (first === undefined || last === undefined) return open;
  const query =
    `WorkflowType = "${kind.workflowType}" AND ExecutionStatus = "Running"` +
    ` AND WorkflowId BETWEEN "${kind.workflowId(first.id)}" AND "${kind.workflowId(last.id)}"`;
  for await (const info of client.workflow.list({ query, pageSize: PAGE_SIZE })) {
    open.set(info.workflowId, info);
    heartbeat();
  }
  return open;
}

/** Starts the workflow unless it is open after all: the listing lags behind. */
async function startUnlessOpen(
  { client, config }: AuditDeps,
  kind: AuditedKind,
  { tenantId, id: userId }: User,
): Promise<boolean> {
  const workflowId = kind.workflowId(userId);
  const isOpen = await client.workflow
    .getHandle(workflowId)
    .describe()
    .then(
      ({ status }) => status.name === 'RUNNING',
      () => false,
    );
  if (isOpen) return false;
  await client.workflow.start(kind.workflowType, {
    ...startOptions(config, { tenantId, workflowType: kind.workflowType, workflowId }),
    args: [{ tenantId, userId }],
  });
  return true;
}

async function rewriteRow({ db, client }: AuditDeps, kind: AuditedKind, user: AuditedUser): Promise<boolean> {
  const fresh = await db.inTenant(user.tenantId, (tx) =>
    tx.user.findFirst({ where: { ...kind.users, tenantId: user.tenantId, id: user.id } }),
  );
  if (fresh === null || (await kind.agreesNow({ ...fresh, services: user.services }, client))) return false;
  await client.workflow.getHandle(kind.workflowId(user.id)).signal(kind.refreshSignal);
  return true;
}

/** Adds services that the setting gained, and repeats a change that the workflow has not written yet. */
async function repairSync({ db, config }: AuditDeps, user: AuditedUser): Promise<void> {
  const { tenantId, id: userId, version } = user;
  if (user.deletedAt !== null) {
    if (user.syncedVersion >= version) return;
    const call = deletionOfCopies({ tenantId, userId, version });
    return db.inTenant(tenantId, (tx) => enqueueCalls(tx, [call]));
  }
  const held = user.services.map(({ service }) => service);
  const gained = user.defaultServices ? config.SYNC_SERVICES.filter((service) => !held.includes(service)) : [];
  if (gained.length === 0 && user.syncedVersion >= version) return;
  await db.inTenant(tenantId, (tx) =>
    enqueueUserChanged(tx, {
      tenantId,
      userId,
      version,
      ...(gained.length === 0 ? {} : { services: [...held, ...gained] }),
    }),
  );
}
