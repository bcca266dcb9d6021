import { conflict, type RefusalEntry } from '../shared/codes.ts';

/** Refusals of commands on a profile. */
export const PROFILE_REFUSALS = {
  profile_already_completed: conflict(
    'Profile already complete',
    'The profile is already complete.',
    'Nothing, if it is the same customer. Another customer needs another user.',
  ),
  profile_expired: conflict(
    'Profile expired',
    'The profile has expired; an administrator can reactivate it.',
    'Have an administrator reactivate it, then send the command again.',
  ),
  profile_not_expired: conflict(
    'Profile not expired',
    'Only an expired profile can be reactivated.',
    'Nothing: the profile is still open, complete or suspended.',
  ),
  user_suspended: conflict(
    'User suspended',
    'The user is suspended.',
    'Have an administrator lift the suspension, then send the command again.',
  ),
  user_not_suspended: conflict(
    'User not suspended',
    'The user is not suspended.',
    'Nothing: it is as it should be, unless another user was meant.',
  ),
} satisfies Record<string, RefusalEntry>;
export type ProfileRefusal = keyof typeof PROFILE_REFUSALS;
