import type pg from 'pg';
import { z } from 'zod';
import { ONBOARDING_ACTIVITIES } from '../../db/routing-slips/onboarding-activities.ts';
import { nameSlipUsers } from '../../db/routing-slips/slip-users.ts';
import { deleteUserIn } from '../../db/users/delete-user.ts';
import { incompleteUsers } from '../../db/users/incomplete-users.ts';
import { registerUserAt, type RegistrationRules } from '../../db/users/register-user.ts';
import { StepFailure } from '../../domain/process/step-work.ts';
import { ACTIVITY_CAUSES, type ActivityCause } from '../../domain/routing-slips/codes.ts';
import { lockStreamsLate } from '../../messaging/log/lock-streams.ts';
import { localActivity, type LegFunctions } from './leg-functions.ts';

const keptUsers = z.object({ registered: z.array(z.guid()) });

/** Registers users, and keeps which of them were not registered before. */
export function inviteUsersLeg(rules: RegistrationRules): LegFunctions {
  return localActivity(ONBOARDING_ACTIVITIES.invite_users, {
    take: async (client, { tenantId, processId, arguments: { users } }) => {
      const now = Date.now();
      const ids = new Map<string, string>();
      const registered: string[] = [];
      // In one order, so that two slips with users in common do not wait for each other.
      for (const { name, ...user } of users.toSorted((one, other) => (one.authSubject < other.authSubject ? -1 : 1))) {
        const answer = await registerUserAt(
          client,
          rules,
          {
            ...user,
            tenantId,
            name: name ?? null,
            phone: null,
            servicesToSync: undefined,
            notificationChannels: ['email'],
          },
          now,
        );
        if ('refusedUntil' in answer) return refused('identity_refused');
        ids.set(user.authSubject, answer.user.id);
        if (answer.isNew) registered.push(answer.user.id);
      }
      await nameSlipUsers(client, { tenantId, processId }, [...ids.values()]);
      const userIds = users.map(({ authSubject }) => ids.get(authSubject) ?? '');
      return { isDone: true, result: { userIds }, kept: { registered } };
    },
    undo: async (client, { tenantId, kept }) => {
      const { registered } = keptUsers.parse(kept);
      await deleteIncomplete(client, { tenantId, userIds: registered, subjectHash: rules.subjectHash });
      return { isDone: true };
    },
  });
}

/** Deletes those of the users who have not completed their profiles; the others' accounts are theirs by now. */
async function deleteIncomplete(
  client: pg.ClientBase,
  {
    tenantId,
    userIds,
    subjectHash,
  }: { readonly tenantId: string; readonly userIds: readonly string[] } & Pick<RegistrationRules, 'subjectHash'>,
): Promise<void> {
  if (!(await lockStreamsLate(client, userIds)))
    throw new StepFailure<ActivityCause>('users_changing', ACTIVITY_CAUSES.users_changing.detail);
  const now = new Date();
  for (const userId of await incompleteUsers(client, { tenantId, userIds }))
    await deleteUserIn(client, { key: { tenantId, userId }, subjectHash, now });
}

function refused(code: ActivityCause) {
  return { isDone: false, code, message: ACTIVITY_CAUSES[code].detail } as const;
}
