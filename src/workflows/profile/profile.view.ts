import { defineSearchAttributeKey } from '@temporalio/common';
import {
  nextDueAt,
  type Profile,
  type ProfileCommand,
  type ProfileEvent,
  type ProfileSettings,
} from '../../domain/profile/profile.ts';
import { statusesOf } from '../../domain/profile/statuses.ts';
import { isoTime, isoTimeOrNull } from '../../domain/shared/time.ts';
import type { DeciderRun, Entity, Showing } from '../runtime/decider.ts';
import type { ProfileView } from './profile.messages.ts';

/** The types of the `profile` workflow. */
export interface ProfileKind {
  readonly state: Profile;
  readonly command: ProfileCommand;
  readonly event: ProfileEvent;
  readonly settings: ProfileSettings;
}

const userStatus = defineSearchAttributeKey('UserStatus', 'KEYWORD');
const profileStatus = defineSearchAttributeKey('ProfileStatus', 'KEYWORD');
const profileDeadline = defineSearchAttributeKey('ProfileDeadline', 'DATETIME');

/** What operators see of a profile. */
export const profileShowing: Showing<ProfileKind> = {
  when: 'after_each_step',
  searchAttributes({ state }) {
    const { status, profileCompletionStatus } = statusesOf(state);
    const { deadline } = lastOpen(state);
    return [
      { key: userStatus, value: status },
      { key: profileStatus, value: profileCompletionStatus },
      { key: profileDeadline, value: deadline === null ? null : new Date(deadline) },
    ];
  },
  currentDetails(entity) {
    const { status, profileCompletionStatus } = statusesOf(entity.state);
    const { reminders, deadline } = lastOpen(entity.state);
    return [
      `**${status}** / ${profileCompletionStatus}`,
      `Deadline: ${deadline ?? 'none'}`,
      `Reminders sent: ${reminders}`,
      `Next: ${nextOf(entity) ?? 'waits for a command'}`,
    ].join('  \n');
  },
  timerSummary: ({ state, settings }) =>
    state.kind === 'pending' && nextDueAt(state, settings) !== state.deadline
      ? 'Next reminder'
      : 'Deadline of the profile',
};

/** What the `state` query and the Updates answer; null: the row is not read yet. */
export function viewOf({ entity, queue }: DeciderRun<ProfileKind>): ProfileView | null {
  if (entity === null) return null;
  const { reminders, deadline } = lastOpen(entity.state);
  return {
    ...statusesOf(entity.state),
    profileCompletionDeadline: deadline,
    profileCompletionReminders: reminders,
    nextDueAt: nextOf(entity),
    revision: entity.revision,
    refused: queue.refused,
  };
}

function nextOf({ state, settings }: Entity<ProfileKind>): string | null {
  return isoTimeOrNull(nextDueAt(state, settings));
}

function lastOpen(state: Profile): { reminders: number; deadline: string | null } {
  const open = state.kind === 'suspended' ? state.former : state;
  return { reminders: open.reminders, deadline: open.kind === 'pending' ? isoTime(open.deadline) : null };
}
