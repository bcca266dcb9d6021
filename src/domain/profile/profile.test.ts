import test from 'ava';
import fc from 'fast-check';
import {
  decideProfile,
  evolveProfile,
  nextDueAt,
  registerProfile,
  type Profile,
  type ProfileCommand,
  type ProfileEvent,
  type ProfileSettings,
} from './profile.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 0, 1, 12);
const settings: ProfileSettings = { marksDays: [5, 3, 1], hour: null, timeZone: 'UTC', maxReminders: 3 };
const pending = registerProfile({ now: NOW, deadlineDays: 7 });
const customer = { id: 'c-1', kind: 'company' } as const;

function given(...events: ProfileEvent[]): Profile {
  return events.reduce<Profile>(evolveProfile, pending);
}
const started: ProfileEvent = { type: 'ProfileStarted', at: NOW + 1 };
const completed: ProfileEvent = { type: 'ProfileCompleted', at: NOW + DAY, customer };
const expired: ProfileEvent = { type: 'ProfileExpired', at: NOW + 7 * DAY, deadline: NOW + 7 * DAY };
const suspended: ProfileEvent = { type: 'UserSuspended', at: NOW + DAY };

/** state, command, days after registration → what is decided */
const TABLE: [
  title: string,
  state: Profile,
  command: ProfileCommand,
  day: number,
  expected: readonly string[] | { refused: string },
][] = [
  ['starts a pending profile', pending, { type: 'markInProgress' }, 1, ['ProfileStarted']],
  ['starts a started profile without an event', given(started), { type: 'markInProgress' }, 1, []],
  [
    'refuses to start a complete profile',
    given(completed),
    { type: 'markInProgress' },
    2,
    { refused: 'profile_already_completed' },
  ],
  ['completes a pending profile', pending, { type: 'complete', customer }, 1, ['ProfileCompleted']],
  [
    'completes up to the deadline, not at it',
    pending,
    { type: 'complete', customer },
    7,
    { refused: 'profile_expired' },
  ],
  ['takes the same completion twice as one', given(completed), { type: 'complete', customer }, 2, []],
  [
    'refuses another customer',
    given(completed),
    { type: 'complete', customer: { id: 'c-2', kind: 'company' } },
    2,
    { refused: 'profile_already_completed' },
  ],
  [
    'refuses to complete an expired profile',
    given(expired),
    { type: 'complete', customer },
    8,
    { refused: 'profile_expired' },
  ],
  [
    'refuses to complete while suspended',
    given(suspended),
    { type: 'complete', customer },
    2,
    { refused: 'user_suspended' },
  ],
  [
    'reactivates an expired profile',
    given(expired),
    { type: 'reactivate', extensionDays: 7 },
    9,
    ['ProfileReactivated'],
  ],
  [
    'refuses to reactivate a pending profile',
    pending,
    { type: 'reactivate', extensionDays: 7 },
    1,
    { refused: 'profile_not_expired' },
  ],
  ['suspends an active user', given(completed), { type: 'suspend' }, 2, ['UserSuspended']],
  ['refuses to suspend an expired profile', given(expired), { type: 'suspend' }, 8, { refused: 'profile_expired' }],
  ['unsuspends before the deadline', given(suspended), { type: 'unsuspend' }, 2, ['UserUnsuspended']],
  [
    'unsuspends and expires at once after the deadline',
    given(suspended),
    { type: 'unsuspend' },
    8,
    ['UserUnsuspended', 'ProfileExpired'],
  ],
  ['refuses to unsuspend who is not suspended', pending, { type: 'unsuspend' }, 1, { refused: 'user_not_suspended' }],
  ['lets nothing fall due before the first mark', pending, { type: 'passTime' }, 1.9, []],
  ['lets a reminder fall due at its mark', pending, { type: 'passTime' }, 2, ['ReminderFellDue']],
  [
    'lets one reminder fall due after an outage over two marks',
    pending,
    { type: 'passTime' },
    4.5,
    ['ReminderFellDue'],
  ],
  [
    'lets the profile expire at the deadline, without a late reminder',
    pending,
    { type: 'passTime' },
    7,
    ['ProfileExpired'],
  ],
  ['lets nothing fall due while suspended', given(suspended), { type: 'passTime' }, 9, []],
];
for (const [title, state, command, day, expected] of TABLE) {
  test(`decideProfile ${title}`, (t) => {
    const decision = decideProfile(state, command, { now: NOW + day * DAY, settings });
    t.deepEqual(
      decision.accepted ? decision.events.map(({ type }) => type) : { refused: decision.refusal.code },
      expected,
    );
  });
}

test('evolveProfile restores the status from before expiry when it reactivates, with a fresh set of reminders', (t) => {
  const deadline = NOW + 16 * DAY;
  const profile = given(started, expired, { type: 'ProfileReactivated', at: NOW + 9 * DAY, deadline });
  t.deepEqual(profile, { kind: 'pending', started: true, deadline, reminders: 0, settledUntil: NOW + 9 * DAY });
});

test('evolveProfile throws on an event that does not fit the state', (t) => {
  t.throws(() => evolveProfile(given(completed), expired), { message: /ProfileExpired can't happen/ });
});

test('nextDueAt is the next mark, then the deadline, then never', (t) => {
  t.is(nextDueAt(pending, settings), NOW + 2 * DAY);
  t.is(nextDueAt({ ...pending, reminders: 3 }, settings), NOW + 7 * DAY);
  t.is(nextDueAt(given(completed), settings), null);
});

test('a spread reminder falls due after its mark, and one that was sent at the mark is not sent again', (t) => {
  const spread: ProfileSettings = { ...settings, marksDays: [5], hour: 10, spreadMs: 1_800_000, spreadShare: 0.5 };
  const mark = Date.UTC(2026, 0, 3, 10);
  const dueAt = (profile: Profile, now: number) => {
    const decision = decideProfile(profile, { type: 'passTime' }, { now, settings: spread });
    return decision.accepted ? decision.events.map(({ type }) => type) : [];
  };
  t.deepEqual(dueAt(pending, mark + 899_999), []);
  t.deepEqual(dueAt(pending, mark + 900_000), ['ReminderFellDue']);
  t.is(nextDueAt(pending, spread), mark + 900_000);
  const sent: ProfileEvent = { type: 'ReminderFellDue', at: mark + 50, markDays: 5, deadline: NOW + 7 * DAY };
  t.deepEqual(dueAt(given(sent), mark + 900_000), []);
  t.is(nextDueAt(given(sent), spread), NOW + 7 * DAY);
});

const commands: fc.Arbitrary<ProfileCommand> = fc.oneof(
  fc.constant<ProfileCommand>({ type: 'markInProgress' }),
  fc.constant<ProfileCommand>({ type: 'complete', customer }),
  fc
    .double({ min: 0.01, max: 30, noNaN: true })
    .map((extensionDays): ProfileCommand => ({ type: 'reactivate', extensionDays })),
  fc.constant<ProfileCommand>({ type: 'suspend' }),
  fc.constant<ProfileCommand>({ type: 'unsuspend' }),
  fc.constant<ProfileCommand>({ type: 'passTime' }),
);
const lives = fc.record({
  steps: fc.array(fc.record({ command: commands, afterMs: fc.integer({ min: 0, max: 3 * DAY }) }), { maxLength: 60 }),
  deadlineDays: fc.double({ min: 0, max: 20, noNaN: true }),
  settings: fc.record({
    marksDays: fc.array(fc.oneof(fc.double({ min: 0, max: 10, noNaN: true }), fc.nat(10)), { maxLength: 6 }),
    hour: fc.option(fc.integer({ min: 0, max: 23 })),
    timeZone: fc.constantFrom('UTC', 'Europe/Paris', 'Pacific/Apia'),
    maxReminders: fc.integer({ min: 0, max: 4 }),
    spreadMs: fc.constantFrom(0, 1_800_000, DAY),
    spreadShare: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  }),
});

test('any sequence of commands and times keeps the promises of a profile', (t) => {
  fc.assert(
    fc.property(lives, ({ steps, deadlineDays, settings: drawn }) => {
      let now = NOW;
      let profile: Profile = registerProfile({ now, deadlineDays });
      let isCompleted = false;
      const remindersByDeadline = new Map<string, number>();
      let reactivations = 0;
      for (const { command, afterMs } of steps) {
        now += afterMs;
        const decision = decideProfile(profile, command, { now, settings: drawn });
        if (!decision.accepted) continue;
        for (const event of decision.events) {
          if (event.type === 'ReminderFellDue') {
            if (isCompleted) return false; // none after completion
            const key = `${event.deadline}/${reactivations}`;
            remindersByDeadline.set(key, (remindersByDeadline.get(key) ?? 0) + 1);
          }
          if (event.type === 'ProfileExpired' && (now < event.deadline || isCompleted)) return false;
          if (event.type === 'ProfileReactivated') reactivations += 1;
          if (event.type === 'ProfileCompleted') isCompleted = true;
          profile = evolveProfile(profile, event);
        }
        if (profile.kind === 'active' && !isCompleted) return false; // active only if completed
        const dueAt = nextDueAt(profile, drawn);
        const due = decideProfile(profile, { type: 'passTime' }, { now, settings: drawn });
        // What is not due now leads to nothing, and what is due leads on: the workflow's loop can neither miss nor
        // spin.
        if (due.accepted && due.events.length > 0 !== (dueAt !== null && dueAt <= now)) return false;
      }
      return [...remindersByDeadline.values()].every((count) => count <= drawn.maxReminders);
    }),
    { numRuns: 2_000, seed: 20261121 },
  );
  t.pass();
});
