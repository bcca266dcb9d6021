import { assertNever } from '../shared/assert-never.ts';
import type { Profile } from './profile.ts';

/** Statuses as the API, the rows and the search attributes spell them. */
export type UserStatus = 'active' | 'pending_profile' | 'suspended' | 'inactive';
export type ProfileCompletionStatus = 'not_started' | 'in_progress' | 'completed' | 'expired';

export interface ProfileStatuses {
  readonly status: UserStatus;
  readonly profileCompletionStatus: ProfileCompletionStatus;
}

/** The two statuses of a profile in rows and answers. */
export function statusesOf(profile: Profile): ProfileStatuses {
  switch (profile.kind) {
    case 'pending':
      return { status: 'pending_profile', profileCompletionStatus: profile.started ? 'in_progress' : 'not_started' };
    case 'active':
      return { status: 'active', profileCompletionStatus: 'completed' };
    case 'expired':
      return { status: 'inactive', profileCompletionStatus: 'expired' };
    case 'suspended':
      return { ...statusesOf(profile.former), status: 'suspended' };
    default:
      return assertNever(profile);
  }
}
