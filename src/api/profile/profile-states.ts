import { z } from 'zod';
import type { UpdateDefinition } from '@temporalio/common';
import type { Role } from '../../auth/roles.ts';
import type { Scope } from '../../auth/scopes.ts';
import { MAX_EXTENSION_DAYS } from '../../domain/profile/commands.ts';
import {
  completeUpdate,
  markInProgressUpdate,
  reactivateUpdate,
  suspendUpdate,
  unsuspendUpdate,
  type ProfileView,
} from '../../workflows/profile/profile.messages.ts';
import type { ErrorCode } from '../http/error-catalogue.ts';
import { route, type Route } from '../http/route.ts';
import { commandUser, userAfter } from '../users/user-commands.ts';
import { userAnswer, userSchema } from '../users/user.schemas.ts';
import { id, text } from '../http/values.ts';

const params = z.object({ userId: id });
const ANY_COMMAND = [
  'user_not_found',
  'user_deleted',
  'not_saved',
  'command_timeout',
  'workflow_busy',
  'temporal_unavailable',
] as const satisfies ErrorCode[];
const common = {
  method: 'post',
  tag: 'User states',
  params,
  statuses: { 200: 'The user as it is now' },
  answer: userSchema,
  idempotent: true,
} as const;

/** Days from now until the new deadline. */
export const extensionDays = z
  .number()
  .positive()
  .max(MAX_EXTENSION_DAYS)
  .meta({ description: 'Days until the new deadline, fractions allowed', example: 7 });

// Not for the user itself: every service is told the customer, so only the service that keeps the customers may set it.
const complete = route(
  {
    ...common,
    path: '/users/state-management/:userId/profile/complete',
    operationId: 'completeProfile',
    roles: ['service', 'admin'],
    scope: 'profiles:write',
    summary: 'Completes the profile: ties the user to its customer, makes it active and tells its services',
    body: z.strictObject({
      customerId: text(200),
      customerKind: z.enum(['company', 'financial_institution']),
    }),
    errors: [...ANY_COMMAND, 'invalid_payload', 'profile_already_completed', 'profile_expired', 'user_suspended'],
  },
  async (call) => {
    await commandUser(call, 'profile', completeUpdate, [call.body]);
    return { status: 200, body: userAnswer(await userAfter(call)) };
  },
);

const reactivate = route(
  {
    ...common,
    path: '/users/state-management/:userId/profile/reactivate',
    operationId: 'reactivateProfile',
    roles: ['admin'],
    summary: 'Gives an expired profile a new deadline',
    body: z.strictObject({ extensionDays }),
    errors: [...ANY_COMMAND, 'invalid_payload', 'profile_not_expired'],
  },
  async (call) => {
    await commandUser(call, 'profile', reactivateUpdate, [call.body]);
    return { status: 200, body: userAnswer(await userAfter(call)) };
  },
);

/** Routes of the commands that need no more than the user. */
const plain = ({
  name,
  operationId,
  summary,
  roles,
  scope,
  errors,
  update,
}: {
  name: string;
  operationId: string;
  summary: string;
  roles: readonly Role[];
  scope?: Scope;
  errors: readonly ErrorCode[];
  update: UpdateDefinition<ProfileView | null>;
}): Route =>
  route(
    {
      ...common,
      path: `/users/state-management/:userId/profile/${name}`,
      operationId,
      summary,
      roles,
      ...(scope === undefined ? {} : { scope }),
      errors: [...ANY_COMMAND, ...errors],
    },
    async (call) => {
      await commandUser(call, 'profile', update, []);
      return { status: 200, body: userAnswer(await userAfter(call)) };
    },
  );

/** Commands on a user's profile. */
export const profileStateRoutes: readonly Route[] = [
  plain({
    name: 'mark-in-progress',
    operationId: 'markProfileInProgress',
    summary: 'Says that the user has begun its profile',
    update: markInProgressUpdate,
    roles: ['user', 'service', 'admin'],
    scope: 'profiles:write',
    errors: ['profile_already_completed', 'profile_expired', 'user_suspended'],
  }),
  complete,
  reactivate,
  plain({
    name: 'suspend',
    operationId: 'suspendUser',
    summary: 'Suspends the user: no reminders; the deadline goes on',
    update: suspendUpdate,
    roles: ['admin'],
    errors: ['profile_expired'],
  }),
  plain({
    name: 'unsuspend',
    operationId: 'unsuspendUser',
    summary: 'Ends a suspension',
    update: unsuspendUpdate,
    roles: ['admin'],
    errors: ['user_not_suspended'],
  }),
];
