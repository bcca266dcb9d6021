import { z } from 'zod';
import {
  confirmedUpdate,
  failedUpdate,
  forceResyncUpdate,
  reconcileUpdate,
} from '../../workflows/user-sync/user-sync.messages.ts';
import { reopenCopies } from '../../db/user-sync/copies.ts';
import { endDeletion } from '../../db/user-sync/deletions.ts';
import type { UserRow } from '../../db/users/users.ts';
import type { ErrorCode } from '../http/error-catalogue.ts';
import { Problem } from '../http/problem.ts';
import { route, type Route } from '../http/route.ts';
import { commandUser, copiesAfter } from '../users/user-commands.ts';
import { userAnswer, userSchema } from '../users/user.schemas.ts';
import { id, nullableInstant, serviceName, syncStatus, text } from '../http/values.ts';

const ANY_COMMAND = [
  'user_not_found',
  'user_deleted',
  'not_saved',
  'command_timeout',
  'workflow_busy',
  'temporal_unavailable',
] as const satisfies ErrorCode[];
const common = { method: 'post', tag: 'User states', params: z.object({ userId: id }), idempotent: true } as const;
const answersUser = { statuses: { 200: 'The user as it is now' }, answer: userSchema } as const;
const report = z.strictObject({
  service: serviceName,
  userVersion: z
    .int32()
    .positive()
    .optional()
    .meta({ description: 'Version that it is about; the current one when absent' }),
  error: text(1_000, 0).optional().meta({ description: 'Why the service failed' }),
});

const reconciliation = z
  .strictObject({
    userId: z.string(),
    consistent: z.boolean(),
    version: z.number().int(),
    missing: z.array(z.string()).meta({ description: 'Never confirmed any version' }),
    stale: z.array(z.string()).meta({ description: 'Confirmed an older version' }),
    failed: z.array(z.string()).meta({ description: 'Failed with the current version' }),
    republished: z.array(z.string()).meta({ description: 'Services that the user was sent to again' }),
  })
  .meta({ id: 'ReconciliationResult' });

const syncState = z
  .strictObject({
    userId: id,
    version: z.number().int().meta({ description: 'Version that every service is to confirm' }),
    syncStatus,
    syncRetryCount: z.number().int(),
    lastSyncAttempt: nullableInstant,
    lastSyncError: z.string().nullable(),
    services: z.array(
      z.strictObject({
        service: z.string(),
        isConfirmed: z.boolean().meta({ description: 'Confirmed the current version' }),
        confirmedVersion: z.number().int().meta({ description: 'Version that it confirmed last; 0: none' }),
        lastError: z.string().nullable(),
        lastSuccessfulSync: nullableInstant,
      }),
    ),
    deletedAt: nullableInstant.meta({ description: 'When the user was deleted; the version is that of the deletion' }),
    endedAt: nullableInstant.meta({
      description: 'When every service had confirmed the deletion, or an operator no longer waited for it',
    }),
    endedBy: z.string().nullable().meta({ description: 'The operator; null: every service had confirmed' }),
  })
  .meta({ id: 'SyncState' });

const read = route(
  {
    method: 'get',
    tag: 'User states',
    params: common.params,
    path: '/users/state-management/:userId/sync',
    operationId: 'getSyncState',
    roles: ['service', 'operator', 'admin'],
    scope: 'users:read',
    summary: 'Reads which services have confirmed the user, or its deletion',
    statuses: { 200: 'The copies as their rows have them' },
    answer: syncState,
    errors: ['user_not_found'],
  },
  async (call) => ({ status: 200, body: syncStateOf(await copiesAfter(call)) }),
);

const endDeletionRoute = route(
  {
    ...common,
    path: '/users/state-management/:userId/sync/end-deletion',
    operationId: 'endDeletion',
    roles: ['operator', 'admin'],
    summary: 'Waits no longer for services to confirm that they have forgotten a deleted user',
    statuses: { 200: 'The copies as their rows have them' },
    answer: syncState,
    errors: ['user_not_found', 'user_not_deleted'],
  },
  async (call) => {
    const {
      deps,
      caller: { tenantId, subject },
      params: { userId },
    } = call;
    const by = { operator: subject, now: new Date() };
    switch (await deps.db.inTenant(tenantId, (tx) => endDeletion(tx, { tenantId, userId }, by))) {
      case undefined:
        throw new Problem('user_not_found');
      case 'not_deleted':
        throw new Problem('user_not_deleted');
      case 'ended':
        deps.wakeOutboxRelay();
        return { status: 200, body: syncStateOf(await copiesAfter(call)) };
    }
  },
);

function syncStateOf({ services, ...row }: UserRow): z.input<typeof syncState> {
  return {
    userId: row.id,
    version: row.version,
    syncStatus: row.syncStatus,
    syncRetryCount: row.syncRetryCount,
    lastSyncAttempt: isoOrNull(row.lastSyncAttempt),
    lastSyncError: row.lastSyncError,
    services: services.map(({ service, confirmedVersion, lastError, lastSuccessfulSync }) => ({
      service,
      isConfirmed: confirmedVersion === row.version,
      confirmedVersion,
      lastError,
      lastSuccessfulSync: isoOrNull(lastSuccessfulSync),
    })),
    deletedAt: isoOrNull(row.deletedAt),
    endedAt: isoOrNull(row.syncEndedAt),
    endedBy: row.syncEndedBy,
  };
}

function isoOrNull(at: Date | null): string | null {
  return at?.toISOString() ?? null;
}

/** Has a deletion confirmed once more that was over. */
async function reopen({ deps, caller: { tenantId }, params: { userId } }: Parameters<typeof copiesAfter>[0]) {
  await deps.db.inTenant(tenantId, (tx) => reopenCopies(tx, { tenantId, userIds: [userId] }));
}

const force = route(
  {
    ...common,
    ...answersUser,
    path: '/users/state-management/:userId/sync/force',
    operationId: 'forceResync',
    roles: ['service', 'operator', 'admin'],
    scope: 'sync:request',
    summary: 'Sends the user to its services again and restarts the retry counter',
    description:
      'To all of them, or, asked by a service, to that one and those that have not confirmed the current version.',
    errors: [...ANY_COMMAND, 'unknown_service'],
  },
  async (call) => {
    const { caller } = call;
    await reopen(call);
    // A service doubts its own copy, and nobody else's.
    if (caller.role === 'service') await commandUser(call, 'userSync', reconcileUpdate, [{ service: caller.service }]);
    else await commandUser(call, 'userSync', forceResyncUpdate, []);
    return { status: 200, body: userAnswer(await copiesAfter(call)) };
  },
);

const reconcile = route(
  {
    ...common,
    path: '/users/state-management/:userId/sync/reconcile',
    operationId: 'reconcileUser',
    roles: ['service', 'operator', 'admin'],
    scope: 'sync:request',
    summary: 'Compares the copies with the user and sends it to the services that differ',
    statuses: { 200: 'What was found, and what was sent again' },
    answer: reconciliation,
    errors: ANY_COMMAND,
  },
  async (call) => {
    await reopen(call);
    const { userId, consistent, version, missing, stale, failed, republished } = await commandUser(
      call,
      'userSync',
      reconcileUpdate,
      [{}],
    );
    return {
      status: 200,
      body: { userId, consistent, version, missing, stale, failed, republished: [...republished] },
    };
  },
);

const markSynced = route(
  {
    ...common,
    ...answersUser,
    path: '/users/state-management/:userId/sync/mark-service-synced',
    operationId: 'markServiceSynced',
    roles: ['service', 'admin'],
    scope: 'sync:confirm',
    speaksForService: true,
    summary: 'Says that a service holds the user',
    body: report,
    errors: [...ANY_COMMAND, 'invalid_payload', 'unknown_service', 'unknown_version'],
  },
  async (call) => {
    const { service, userVersion } = call.body;
    await commandUser(call, 'userSync', confirmedUpdate, [
      { service, ...(userVersion === undefined ? {} : { userVersion }) },
    ]);
    return { status: 200, body: userAnswer(await copiesAfter(call)) };
  },
);

const markFailed = route(
  {
    ...common,
    ...answersUser,
    path: '/users/state-management/:userId/sync/mark-service-failed',
    operationId: 'markServiceFailed',
    roles: ['service', 'admin'],
    scope: 'sync:confirm',
    speaksForService: true,
    summary: 'Says that a service failed to take the user',
    body: report,
    errors: [...ANY_COMMAND, 'invalid_payload', 'unknown_service', 'unknown_version'],
  },
  async (call) => {
    const { service, userVersion, error } = call.body;
    await commandUser(call, 'userSync', failedUpdate, [
      {
        service,
        ...(userVersion === undefined ? {} : { userVersion }),
        ...(error === undefined ? {} : { error }),
      },
    ]);
    return { status: 200, body: userAnswer(await copiesAfter(call)) };
  },
);

/** Commands on the copies of a user. */
export const syncStateRoutes: readonly Route[] = [read, force, reconcile, markSynced, markFailed, endDeletionRoute];
