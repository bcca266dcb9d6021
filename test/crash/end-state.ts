import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { ExecutionContext } from 'ava';
import type { SystemDb, Tx } from '../../src/postgres/client.ts';
import { profileStateQuery, profileWorkflowId } from '../../src/workflows/profile/profile.messages.ts';
import { userSyncStateQuery, userSyncWorkflowId } from '../../src/workflows/user-sync/user-sync.messages.ts';
import { until } from '../support/until.ts';
import { TENANT } from './crash-world.ts';
import type { World } from '../support/world.ts';

const PAUSE_MS = 200;
const SETTLE_MS = 240_000;

/** Reads as the relays do: of every tenant. */
export function read<Result>(system: SystemDb, work: (tx: Tx) => Promise<Result>): Promise<Result> {
  return system.acrossTenants(work);
}

/** Waits until `condition` holds for each of the users, and names one for whom it never does. */
export async function untilEach(
  users: readonly string[],
  condition: (userId: string) => Promise<boolean>,
  what: string,
): Promise<void> {
  const open = new Set(users);
  await until(
    async () => {
      // One after the other, and not at once again: who asks too often keeps from working whom it waits for.
      for (const user of open) if (await condition(user)) open.delete(user);
      if (open.size > 0) await sleep(PAUSE_MS);
      return open.size === 0;
    },
    { what, timeoutMs: SETTLE_MS },
  ).catch((error: unknown) => {
    throw new Error(`${what}: still not so for ${open.size} of ${users.length}, such as ${[...open][0]}`, {
      cause: error,
    });
  });
}

/**
 * Nothing is left over: no call in the workflow outbox, no dead letter, and no workflow that failed or had a task that
 * did.
 */
export async function assertNothingLeft(
  t: ExecutionContext,
  { system, client }: Pick<World, 'system' | 'client'>,
  workflowIds: readonly string[],
): Promise<void> {
  await until(async () => (await read(system, (tx) => tx.pendingStart.count())) === 0, {
    what: 'an empty workflow outbox',
  });
  t.deepEqual(await read(system, (tx) => tx.deadLetter.findMany()), []);
  for (const workflowId of workflowIds)
    t.deepEqual(await healthOf(client, workflowId), { status: 'RUNNING', failedTasks: 0 }, workflowId);
}

async function healthOf(client: Client, workflowId: string): Promise<{ status: string; failedTasks: number }> {
  const handle = client.workflow.getHandle(workflowId);
  const [{ status }, { events }] = await Promise.all([handle.describe(), handle.fetchHistory()]);
  return {
    status: status.name,
    failedTasks: (events ?? []).filter((event) => event.workflowTaskFailedEventAttributes).length,
  };
}

/** What the row says of a profile is what its workflow says. */
export async function assertProfileAgrees(
  t: ExecutionContext,
  { system, client }: Pick<World, 'system' | 'client'>,
  userId: string,
): Promise<void> {
  const both = async () => ({
    view: await client.workflow.getHandle(profileWorkflowId(userId)).query(profileStateQuery),
    row: await userOf(system, userId),
  });
  // A row is written before its workflow hears that it is.
  await until(async () => await both().then(({ view, row }) => view?.revision === row.profileRevision), {
    what: `the profile of ${userId} to be as its row`,
  });
  const { view, row } = await both();
  const deadline =
    row.profileCompletionStatus === 'expired' ? null : (row.profileCompletionDeadline?.toISOString() ?? null);
  t.like(
    view,
    {
      status: row.status,
      profileCompletionStatus: row.profileCompletionStatus,
      revision: row.profileRevision,
      profileCompletionReminders: row.profileCompletionReminders,
      profileCompletionDeadline: deadline,
      refused: [],
    },
    userId,
  );
}

/** What the rows say of a synchronisation is what its workflow says. */
export async function assertSyncAgrees(
  t: ExecutionContext,
  { system, client }: Pick<World, 'system' | 'client'>,
  userId: string,
): Promise<void> {
  const both = async () => ({
    view: await client.workflow.getHandle(userSyncWorkflowId(userId)).query(userSyncStateQuery),
    row: await userOf(system, userId),
  });
  await until(async () => await both().then(({ view, row }) => view?.revision === row.syncRevision), {
    what: `the sync of ${userId} to be as its row`,
  });
  const {
    view,
    row: { services, ...row },
  } = await both();
  t.like(
    view,
    {
      syncStatus: row.syncStatus,
      version: row.version,
      revision: row.syncRevision,
      syncRetryCount: row.syncRetryCount,
      lastSyncAttempt: row.lastSyncAttempt?.toISOString() ?? null,
      lastSyncError: row.lastSyncError,
      refused: [],
    },
    userId,
  );
  const confirmed = services
    .filter(({ confirmedVersion }) => confirmedVersion === row.version)
    .map(({ service }) => service);
  t.deepEqual(view?.syncedServices.toSorted(), confirmed.toSorted());
  t.is(row.syncedVersion, row.version);
}

/**
 * Every message of the message outbox is on the bus at least once, no other is, and those of a user came in the log's
 * order. Returns the topics in the log, of each user.
 */
export async function assertPublished(
  t: ExecutionContext,
  { system }: Pick<World, 'system'>,
  users: readonly string[],
): Promise<Map<string, string[]>> {
  await untilEach(
    users,
    async (key) => {
      const sent = await read(system, (tx) =>
        tx.outgoingMessage.findMany({ where: { key }, select: { messageId: true } }),
      );
      const there = await read(system, (tx) => tx.busMessage.findMany({ where: { key }, select: { messageId: true } }));
      return sent.length > 0 && sent.every(({ messageId }) => there.some((message) => message.messageId === messageId));
    },
    'publication',
  );
  return new Map(
    await Promise.all(
      users.map(async (key): Promise<[string, string[]]> => {
        const sent = await inOrder(system, 'outgoing_messages', key);
        const there = (await inOrder(system, 'bus_messages', key)).filter(({ topic }) => !topic.startsWith('sync.'));
        const firsts = there.filter(
          ({ messageId }, index) => there.findIndex((message) => message.messageId === messageId) === index,
        );
        t.deepEqual(firsts, sent, 'each once, and in order');
        return [key, sent.map(({ topic }) => topic)];
      }),
    ),
  );
}

function inOrder(
  system: SystemDb,
  table: 'outgoing_messages' | 'bus_messages',
  key: string,
): Promise<{ messageId: string; topic: string }[]> {
  return read(system, (tx) =>
    tx.$queryRawUnsafe(
      `SELECT message_id AS "messageId", topic FROM ${table} WHERE key = $1 ORDER BY xid, position`,
      key,
    ),
  );
}

/** The user's row, with what each service holds. */
export function userOf(system: SystemDb, userId: string) {
  return read(system, (tx) =>
    tx.user.findUniqueOrThrow({
      where: { tenantId_id: { tenantId: TENANT, id: userId } },
      include: { services: true },
    }),
  );
}
