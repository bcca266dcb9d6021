import { z } from 'zod';
import type { UserBulkInput } from '../../workflows/bulk/bulk-command.messages.ts';
import type { ErrorCode } from '../http/error-catalogue.ts';
import { extensionDays } from '../profile/profile-states.ts';
import { route, type Call, type Route } from '../http/route.ts';
import { id, notEmpty, profileCompletionStatus, syncStatus, userStatus } from '../http/values.ts';
import { bulkAccepted, startBulk } from './operations.ts';

const filter = notEmpty(
  z.strictObject({
    status: userStatus.optional(),
    profileCompletionStatus: profileCompletionStatus.optional(),
    syncStatus: syncStatus.optional(),
    userIds: z.array(id).min(1).max(1_000).optional(),
  }),
).meta({ id: 'UserFilter', description: 'Users that match every given field' });

const common = {
  method: 'post',
  tag: 'Bulk operations',
  statuses: { 202: 'The operation goes on in the background' },
  answer: bulkAccepted,
  errors: ['temporal_unavailable'] as readonly ErrorCode[],
  idempotent: true,
} as const;

const reactivate = route(
  {
    ...common,
    path: '/users/state-management/bulk/reactivate',
    operationId: 'bulkReactivate',
    roles: ['admin'],
    summary: 'Reactivates the expired profiles among the users that match',
    body: z.strictObject({ filter, extensionDays }),
  },
  (call) => start(call, { name: 'reactivate', extensionDays: call.body.extensionDays }),
);

const resync = route(
  {
    ...common,
    path: '/users/state-management/bulk/resync',
    operationId: 'bulkResync',
    roles: ['operator', 'admin'],
    summary: 'Sends the users that match to their services again',
    body: z.strictObject({ filter }),
  },
  (call) => start(call, { name: 'forceResync' }),
);

async function start(
  call: Call<unknown, unknown, { filter: z.output<typeof filter> }>,
  command: UserBulkInput['command'],
) {
  const {
    caller: { tenantId, subject },
    body,
  } = call;
  const { status, profileCompletionStatus: completion, syncStatus: sync, userIds } = body.filter;
  return startBulk(call, {
    tenantId,
    requestedBy: subject,
    command,
    filter: {
      ...(status === undefined ? {} : { status }),
      ...(completion === undefined ? {} : { profileCompletionStatus: completion }),
      ...(sync === undefined ? {} : { syncStatus: sync }),
      ...(userIds === undefined ? {} : { userIds }),
    },
  });
}

/** Commands to many users at once. */
export const bulkRoutes: readonly Route[] = [reactivate, resync];
