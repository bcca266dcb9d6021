import { z } from 'zod';
import {
  confirmedUpdate,
  failedUpdate,
  forceResyncUpdate,
  reconcileUpdate,
} from '../../workflows/user-sync/user-sync.messages.ts';
import type { ErrorCode } from '../http/error-catalogue.ts';
import { route, type Route } from '../http/route.ts';
import { commandUser, userAfter } from '../users/user-commands.ts';
import { userAnswer, userSchema } from '../users/user.schemas.ts';
import { id, serviceName, text } from '../http/values.ts';

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
    // A service doubts its own copy, and nobody else's.
    if (caller.role === 'service') await commandUser(call, 'userSync', reconcileUpdate, [{ service: caller.service }]);
    else await commandUser(call, 'userSync', forceResyncUpdate, []);
    return { status: 200, body: userAnswer(await userAfter(call)) };
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
    return { status: 200, body: userAnswer(await userAfter(call)) };
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
    return { status: 200, body: userAnswer(await userAfter(call)) };
  },
);

/** Commands on the copies of a user. */
export const syncStateRoutes: readonly Route[] = [force, reconcile, markSynced, markFailed];
