import test from 'ava';
import fc from 'fast-check';
import { reportSync, syncStatusOf } from './statuses.ts';
import {
  decideUserSync,
  evolveUserSync,
  isOver,
  missingServices,
  nextSyncDueAt,
  startUserSync,
  type UserSync,
  type UserSyncCommand,
  type UserSyncEvent,
  type UserSyncSettings,
} from './user-sync.ts';

const NOW = Date.UTC(2026, 0, 1);
const settings: UserSyncSettings = {
  retryDelaysMs: [1_000, 5_000, 15_000, 60_000, 300_000],
  maxRetries: 5,
  confirmationTimeoutMs: 30_000,
  retryResetMs: 86_400_000,
};

/** Plays commands at times (milliseconds after NOW) and answers the state and the events. */
function play(
  steps: [afterMs: number, command: UserSyncCommand][],
  sync = startUserSync({ version: 1, services: ['a', 'b'] }),
) {
  const events: UserSyncEvent[] = [];
  for (const [afterMs, command] of steps) {
    const decision = decideUserSync(sync, command, { now: NOW + afterMs, settings });
    if (!decision.accepted) return { sync, events, refused: decision.refusal.code };
    events.push(...decision.events);
    sync = decision.events.reduce(evolveUserSync, sync);
  }
  return { sync, events, refused: null };
}
const tick: UserSyncCommand = { type: 'passTime' };
const confirm = (service: string, userVersion = 1): UserSyncCommand => ({ type: 'confirm', service, userVersion });
const fail = (service: string, userVersion = 1): UserSyncCommand => ({
  type: 'fail',
  service,
  userVersion,
  error: 'no disk',
});

test('a user is synced when all services confirmed, and not before', (t) => {
  t.is(syncStatusOf(play([[0, tick]]).sync), 'in_progress');
  t.is(
    syncStatusOf(
      play([
        [0, tick],
        [1, confirm('a')],
      ]).sync,
    ),
    'in_progress',
  );
  t.is(
    syncStatusOf(
      play([
        [0, tick],
        [1, confirm('a')],
        [2, confirm('b')],
      ]).sync,
    ),
    'synced',
  );
});

test('a confirmation counts for the current version only', (t) => {
  const { sync } = play([
    [0, tick],
    [1, { type: 'changeUser', version: 2 }],
    [1, tick],
    [2, confirm('a', 1)],
    [3, confirm('b', 2)],
  ]);
  t.deepEqual(missingServices(sync), ['a']);
});

test("a version that was never published and a service that is not the user's are refused", (t) => {
  t.is(
    play([
      [0, tick],
      [1, confirm('a', 2)],
    ]).refused,
    'unknown_version',
  );
  t.is(
    play([
      [0, tick],
      [1, confirm('z')],
    ]).refused,
    'unknown_service',
  );
  t.is(
    play([
      [0, tick],
      [1, confirm('constructor')],
    ]).refused,
    'unknown_service',
  );
});

test('an attempt fails as soon as every target has answered', (t) => {
  const { sync } = play([
    [0, tick],
    [10, confirm('a')],
    [20, fail('b')],
  ]);
  t.deepEqual(sync.phase, { kind: 'backoff', retryAt: NOW + 20 + 1_000 });
  t.is(sync.lastError, 'b: no disk');
});

test('a silent service counts as failed for that attempt', (t) => {
  const { sync } = play([
    [0, tick],
    [10, confirm('a')],
    [29_999, tick],
  ]);
  t.is(sync.phase.kind, 'awaiting');
  const after = play([[30_000, tick]], sync).sync;
  t.deepEqual(after.phase, { kind: 'backoff', retryAt: NOW + 31_000 });
  t.is(after.lastError, 'b: no answer in time');
  t.deepEqual(reportSync(after).failed, ['b']);
});

test('retries climb the ladder, go to services still missing only, then stop until the counter restarts', (t) => {
  let { sync } = play([
    [0, tick],
    [1, confirm('a')],
  ]);
  let now = 0;
  const delays: number[] = [];
  for (let retry = 1; retry <= 5; retry += 1) {
    now = nextSyncDueAt(sync, NOW)! - NOW;
    const failedAt = now;
    sync = play([[now, tick]], sync).sync;
    now = nextSyncDueAt(sync, NOW)! - NOW;
    delays.push(now - failedAt);
    const emitted = play([[now, tick]], sync);
    t.like(emitted.events[0], { type: 'Emitted', targets: ['b'], isRetry: true });
    sync = emitted.sync;
    t.is(sync.retryCount, retry);
  }
  t.deepEqual(delays, settings.retryDelaysMs);
  const lastAttempt = now;
  sync = play([[nextSyncDueAt(sync, NOW)! - NOW, tick]], sync).sync;
  t.is(syncStatusOf(sync), 'failed');
  t.is(nextSyncDueAt(sync, NOW), NOW + lastAttempt + settings.retryResetMs);
  const again = play([[lastAttempt + settings.retryResetMs, tick]], sync);
  t.is(again.sync.retryCount, 0);
  t.like(again.events.at(-1), { type: 'Emitted', targets: ['b'], isRetry: false });
});

test('a late confirmation ends the ladder', (t) => {
  const { sync } = play([
    [0, tick],
    [10, confirm('a')],
    [20, fail('b')],
    [30, confirm('b')],
  ]);
  t.is(syncStatusOf(sync), 'synced');
  t.is(nextSyncDueAt(sync, NOW), null);
  t.is(sync.retryCount, 0);
});

test('a failure that a service reports of a synced copy is repaired', (t) => {
  const { sync } = play([
    [0, tick],
    [1, confirm('a')],
    [2, confirm('b')],
    [3, fail('a')],
  ]);
  t.is(syncStatusOf(sync), 'retry');
});

test('force sends to all services again and restarts the counter', (t) => {
  const { events, sync } = play([
    [0, tick],
    [1, confirm('a')],
    [2, confirm('b')],
    [3, { type: 'forceResync' }],
    [3, tick],
  ]);
  t.like(events.at(-1), { type: 'Emitted', targets: ['a', 'b'], isRetry: false });
  t.is(sync.retryCount, 0);
});

test('reconcile changes nothing when all is consistent, and sends to what is missing otherwise', (t) => {
  const consistent = play([
    [0, tick],
    [1, confirm('a')],
    [2, confirm('b')],
  ]).sync;
  t.deepEqual(play([[3, { type: 'reconcile' }]], consistent).events, []);
  const doubted = play([[3, { type: 'reconcile', service: 'b', heldVersion: 1 }]], consistent);
  t.deepEqual(doubted.events, [], 'it holds the current version');
  const stale = play(
    [
      [3, { type: 'changeUser', version: 2 }],
      [3, tick],
      [4, confirm('a', 2)],
    ],
    consistent,
  ).sync;
  t.deepEqual(reportSync(stale), { consistent: false, version: 2, missing: [], stale: ['b'], failed: [] });
  const sent = play(
    [
      [5, { type: 'reconcile' }],
      [5, tick],
    ],
    stale,
  );
  t.like(sent.events.at(-1), { type: 'Emitted', targets: ['b'] });
});

test('a service that was added is sent the user, one that was removed is forgotten', (t) => {
  const synced = play([
    [0, tick],
    [1, confirm('a')],
    [2, confirm('b')],
  ]).sync;
  const added = play(
    [
      [3, { type: 'changeServices', services: ['a', 'b', 'c'] }],
      [3, tick],
    ],
    synced,
  );
  t.like(added.events.at(-1), { type: 'Emitted', targets: ['c'] });
  const exhausted: UserSync = { ...synced, phase: { kind: 'exhausted', resetAt: NOW + 1_000_000 } };
  t.like(
    play(
      [
        [3, { type: 'changeServices', services: ['a', 'b', 'c'] }],
        [3, tick],
      ],
      exhausted,
    ).events.at(-1),
    { type: 'Emitted', targets: ['c'] },
  );
  const removed = play([
    [0, tick],
    [1, confirm('a')],
    [2, { type: 'changeServices', services: ['a'] }],
  ]).sync;
  t.is(syncStatusOf(removed), 'synced');
});

test('a deletion is a version: it waits for every service, climbs the ladder, and is over once all confirmed', (t) => {
  const synced = play([
    [0, tick],
    [1, confirm('a')],
    [2, confirm('b')],
  ]).sync;
  const deletion: UserSyncCommand = { type: 'deleteUser', version: 2, publishedAt: NOW + 3 };
  const told = play([[4, deletion]], synced).sync;
  t.like(told.phase, { kind: 'awaiting', until: NOW + 3 + settings.confirmationTimeoutMs, targets: ['a', 'b'] });
  t.deepEqual(play([[5, deletion]], told).events, [], 'once is enough');
  const late = play(
    [
      [5, confirm('a', 2)],
      [4 + settings.confirmationTimeoutMs, tick],
    ],
    told,
  ).sync;
  t.is(syncStatusOf(late), 'retry');
  const retried = play([[1_000_000, tick]], late);
  t.like(retried.events.at(-1), { type: 'Emitted', targets: ['b'], isRetry: true });
  t.false(isOver(retried.sync));
  t.true(isOver(play([[1_000_001, confirm('b', 2)]], retried.sync).sync));
  t.false(isOver(synced), 'who is not deleted may change again');
});

test('a deletion that was not published yet, or of a row that was restored, is published by the next step', (t) => {
  const unheard = play([
    [0, { type: 'deleteUser', version: 2 }],
    [0, tick],
  ]);
  t.like(unheard.events.at(-1), { type: 'Emitted', targets: ['a', 'b'] });
  const ahead = play([[0, { type: 'changeUser', version: 7 }]]).sync;
  const { sync } = play([[1, { type: 'deleteUser', version: 2, publishedAt: NOW }]], ahead);
  t.like(sync, { version: 7, isDeleted: true, phase: { kind: 'unsent' } });
});

const serviceNames = fc.constantFrom('a', 'b', 'c');
const versions = fc.integer({ min: 1, max: 4 });
const commands: fc.Arbitrary<UserSyncCommand> = fc.oneof(
  fc.constant(tick),
  versions.map((version): UserSyncCommand => ({ type: 'changeUser', version })),
  versions.map((version): UserSyncCommand => ({ type: 'deleteUser', version })),
  versions.map((version): UserSyncCommand => ({ type: 'deleteUser', version, publishedAt: NOW })),
  fc.subarray(['a', 'b', 'c']).map((services): UserSyncCommand => ({ type: 'changeServices', services })),
  fc.tuple(serviceNames, versions).map(([service, version]) => confirm(service, version)),
  fc.tuple(serviceNames, versions).map(([service, version]) => fail(service, version)),
  fc.constant<UserSyncCommand>({ type: 'forceResync' }),
  fc.constant<UserSyncCommand>({ type: 'reconcile' }),
  fc
    .tuple(serviceNames, versions)
    .map(([service, heldVersion]): UserSyncCommand => ({ type: 'reconcile', service, heldVersion })),
);

test('any sequence of commands and times keeps the promises of a synchronisation', (t) => {
  const steps = fc.array(fc.record({ command: commands, afterMs: fc.integer({ min: 0, max: 100_000 }) }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(steps, (drawn) => {
      let now = NOW;
      let sync: UserSync = startUserSync({ version: 1, services: ['a', 'b'] });
      for (const { command, afterMs } of drawn) {
        now += afterMs;
        const version = sync.version;
        const missing = missingServices(sync);
        const decision = decideUserSync(sync, command, { now, settings });
        if (!decision.accepted) continue;
        for (const event of decision.events) {
          if (
            event.type === 'Emitted' &&
            !event.targets.every((service) => missing.includes(service) || command.type !== 'passTime')
          )
            return false;
          sync = evolveUserSync(sync, event);
        }
        if (sync.version < version) return false; // the version never goes back
        if (sync.retryCount > settings.maxRetries) return false;
        if (sync.phase.kind === 'synced' && missingServices(sync).length > 0) return false;
        const due = decideUserSync(sync, tick, { now, settings });
        const dueAt = nextSyncDueAt(sync, now);
        // Neither missed nor spinning
        if (due.accepted && due.events.length > 0 !== (dueAt !== null && dueAt <= now)) return false;
        if (missingServices(sync).length > 0 && dueAt === null) return false; // a missing copy always has a next step
      }
      return true;
    }),
    { numRuns: 2_000, seed: 20261121 },
  );
  t.pass();
});
