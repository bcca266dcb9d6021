import { assertNever } from '../shared/assert-never.ts';
import { accept, refuse, type Decision } from '../shared/decision.ts';
import type { ProfileRefusal } from './codes.ts';
import { remindersOf, type ReminderSettings } from './reminders.ts';

/** The customer that a user belongs to once its profile is complete. */
export type CustomerKind = 'company' | 'financial_institution';
export interface Customer {
  readonly id: string;
  readonly kind: CustomerKind;
}

/** Times are milliseconds since the epoch. */
export interface PendingProfile {
  readonly kind: 'pending';
  readonly started: boolean;
  readonly deadline: number;
  readonly reminders: number;
  /** Marks up to this instant are settled: their reminder was sent, or skipped on purpose. */
  readonly settledUntil: number;
}
export interface ActiveProfile {
  readonly kind: 'active';
  readonly customer: Customer;
  readonly completedAt: number;
  readonly reminders: number;
}
export interface ExpiredProfile {
  readonly kind: 'expired';
  /** Whether it was in progress, to be so again after a reactivation. */
  readonly started: boolean;
  readonly deadline: number;
  readonly reminders: number;
}
export interface SuspendedProfile {
  readonly kind: 'suspended';
  readonly former: PendingProfile | ActiveProfile;
}
/** State of one user's profile. */
export type Profile = PendingProfile | ActiveProfile | ExpiredProfile | SuspendedProfile;

export interface ProfileSettings extends ReminderSettings {
  readonly maxReminders: number;
}

export type ProfileCommand =
  | { readonly type: 'markInProgress' }
  | { readonly type: 'complete'; readonly customer: Customer }
  | { readonly type: 'reactivate'; readonly extensionDays: number }
  | { readonly type: 'suspend' }
  | { readonly type: 'unsuspend' }
  /** Time has passed: decides what is due by `at`. */
  | { readonly type: 'passTime' };

/** `at` is when it happened, in milliseconds since the epoch. */
export type ProfileEvent =
  | { readonly type: 'ProfileStarted'; readonly at: number }
  | { readonly type: 'ProfileCompleted'; readonly at: number; readonly customer: Customer }
  | { readonly type: 'ReminderFellDue'; readonly at: number; readonly markDays: number; readonly deadline: number }
  | { readonly type: 'ProfileExpired'; readonly at: number; readonly deadline: number }
  | { readonly type: 'ProfileReactivated'; readonly at: number; readonly deadline: number }
  | { readonly type: 'UserSuspended'; readonly at: number }
  | { readonly type: 'UserUnsuspended'; readonly at: number };

const DAY_MS = 86_400_000;

/** A profile as it is registered: due `deadlineDays` days (fractions allowed) after `now`. */
export function registerProfile({ now, deadlineDays }: { now: number; deadlineDays: number }): PendingProfile {
  return {
    kind: 'pending',
    started: false,
    deadline: now + Math.round(deadlineDays * DAY_MS),
    reminders: 0,
    settledUntil: now,
  };
}

/** Decides `command` at `now` (milliseconds since the epoch): the events, or a refusal that changes nothing. */
export function decideProfile(
  profile: Profile,
  command: ProfileCommand,
  { now, settings }: { now: number; settings: ProfileSettings },
): Decision<ProfileEvent, ProfileRefusal> {
  switch (command.type) {
    case 'markInProgress':
      return decideStart(profile, now);
    case 'complete':
      return decideComplete(profile, command.customer, now);
    case 'reactivate':
      return decideReactivate(profile, command.extensionDays, now);
    case 'suspend':
      return decideSuspend(profile, now);
    case 'unsuspend':
      return decideUnsuspend(profile, now);
    case 'passTime':
      return accept(...fallenDue(profile, now, settings));
    default:
      return assertNever(command);
  }
}

function decideStart(profile: Profile, now: number): Decision<ProfileEvent, ProfileRefusal> {
  if (profile.kind !== 'pending') return refuseUnlessPending(profile);
  if (now >= profile.deadline) return refuseOverdue();
  return profile.started ? accept() : accept({ type: 'ProfileStarted', at: now });
}

function decideComplete(profile: Profile, customer: Customer, now: number): Decision<ProfileEvent, ProfileRefusal> {
  if (profile.kind === 'active' && profile.customer.id === customer.id && profile.customer.kind === customer.kind) {
    return accept(); // said twice
  }
  if (profile.kind !== 'pending') return refuseUnlessPending(profile);
  if (now >= profile.deadline) return refuseOverdue();
  return accept({ type: 'ProfileCompleted', at: now, customer });
}

function decideReactivate(
  profile: Profile,
  extensionDays: number,
  now: number,
): Decision<ProfileEvent, ProfileRefusal> {
  if (profile.kind !== 'expired') {
    return refuse('profile_not_expired', 'Only an expired profile can be reactivated.');
  }
  return accept({ type: 'ProfileReactivated', at: now, deadline: now + Math.round(extensionDays * DAY_MS) });
}

function decideSuspend(profile: Profile, now: number): Decision<ProfileEvent, ProfileRefusal> {
  if (profile.kind === 'suspended') return accept();
  if (profile.kind === 'expired') return refuseUnlessPending(profile);
  return accept({ type: 'UserSuspended', at: now });
}

function decideUnsuspend(profile: Profile, now: number): Decision<ProfileEvent, ProfileRefusal> {
  if (profile.kind !== 'suspended') return refuse('user_not_suspended', 'The user is not suspended.');
  const back: ProfileEvent = { type: 'UserUnsuspended', at: now };
  const { former } = profile;
  return former.kind === 'pending' && now >= former.deadline
    ? accept<ProfileEvent>(back, { type: 'ProfileExpired', at: now, deadline: former.deadline })
    : accept(back);
}

/**
 * From the deadline on the expiry; before it one reminder for the latest mark that is due, so that after an outage
 * nobody gets several at once.
 */
function fallenDue(profile: Profile, now: number, settings: ProfileSettings): ProfileEvent[] {
  if (profile.kind !== 'pending') return [];
  const { deadline, reminders, settledUntil } = profile;
  if (now >= deadline) return [{ type: 'ProfileExpired', at: now, deadline }];
  if (reminders >= settings.maxReminders) return [];
  const due = remindersOf(deadline, settings).findLast(({ markAt, at }) => markAt > settledUntil && at <= now);
  return due === undefined ? [] : [{ type: 'ReminderFellDue', at: now, markDays: due.markDays, deadline }];
}

function refuseUnlessPending(profile: Exclude<Profile, PendingProfile>): Decision<ProfileEvent, ProfileRefusal> {
  switch (profile.kind) {
    case 'active':
      return refuse('profile_already_completed', 'The profile is already complete.');
    case 'expired':
      return refuse('profile_expired', 'The profile has expired; an administrator can reactivate it.');
    case 'suspended':
      return refuse('user_suspended', 'The user is suspended.');
    default:
      return assertNever(profile);
  }
}

/**
 * Whether the deadline has passed. Commands check it too: its timer may be handled after a command that came later.
 */
function refuseOverdue(): Decision<ProfileEvent, ProfileRefusal> {
  return refuse('profile_expired', 'The deadline has passed; an administrator can reactivate the profile.');
}

/** The profile after `event`. An event that does not fit the state is a bug and throws. */
export function evolveProfile(profile: Profile, event: ProfileEvent): Profile {
  switch (event.type) {
    case 'ProfileStarted':
      return { ...pendingOf(profile, event), started: true };
    case 'ProfileCompleted': {
      const { reminders } = pendingOf(profile, event);
      return { kind: 'active', customer: event.customer, completedAt: event.at, reminders };
    }
    case 'ReminderFellDue': {
      const pending = pendingOf(profile, event);
      return { ...pending, reminders: pending.reminders + 1, settledUntil: event.at };
    }
    case 'ProfileExpired': {
      const { started, deadline, reminders } = pendingOf(profile, event);
      return { kind: 'expired', started, deadline, reminders };
    }
    case 'ProfileReactivated': {
      if (profile.kind !== 'expired') throw misplaced(profile, event);
      return {
        kind: 'pending',
        started: profile.started,
        deadline: event.deadline,
        reminders: 0,
        settledUntil: event.at,
      };
    }
    case 'UserSuspended': {
      if (profile.kind !== 'pending' && profile.kind !== 'active') throw misplaced(profile, event);
      return { kind: 'suspended', former: profile };
    }
    case 'UserUnsuspended': {
      if (profile.kind !== 'suspended') throw misplaced(profile, event);
      const { former } = profile;
      return former.kind === 'pending' ? { ...former, settledUntil: event.at } : former;
    }
    default:
      return assertNever(event);
  }
}

function pendingOf(profile: Profile, event: ProfileEvent): PendingProfile {
  if (profile.kind !== 'pending') throw misplaced(profile, event);
  return profile;
}

function misplaced(profile: Profile, event: ProfileEvent): Error {
  return new Error(`${event.type} can't happen to a profile that is ${profile.kind}`);
}

/** When time alone changes something next (milliseconds since the epoch); null: never. */
export function nextDueAt(profile: Profile, settings: ProfileSettings): number | null {
  if (profile.kind !== 'pending') return null;
  const next =
    profile.reminders >= settings.maxReminders
      ? undefined
      : remindersOf(profile.deadline, settings).find(({ markAt }) => markAt > profile.settledUntil);
  return next?.at ?? profile.deadline;
}
