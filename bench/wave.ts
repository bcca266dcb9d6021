import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DateTime } from 'luxon';
import { until } from '../test/support/until.ts';
import { install, type Installation } from './installation.ts';
import { drive, quantile, type Figure } from './measure.ts';

const MEASURED_MS = 60_000;
const MINUTE_MS = 60_000;
/** For the registrations and the first measurement. */
const PREPARATION_MS = 3 * MINUTE_MS;
const PREPARATION_A_USER_MS = 60;
const COMMANDS_IN_FLIGHT = 2;
const PAUSE_MS = 50;
/** Where a whole hour begins, by the minute of UTC. */
const ZONES = new Map([
  [0, 'UTC'],
  [15, 'Asia/Kathmandu'],
  [30, 'Asia/Kolkata'],
]);

/**
 * How long people wait for commands while the reminders of a time zone fall due, in its first minute: all within
 * REMINDER_SPREAD_MINUTES as by default, and all at once; beside the minute before.
 */
export async function benchWave(users: number): Promise<Figure[]> {
  return [...(await wave(users, '30')), ...(await wave(users, '0'))];
}

async function wave(users: number, spreadMinutes: string): Promise<Figure[]> {
  const { beginsAt, zone, hour } = nextWholeHour(Date.now() + PREPARATION_MS + users * PREPARATION_A_USER_MS);
  const installation = await install({
    settings: {
      PROFILE_REMINDER_MARKS_DAYS: '7',
      REMINDER_HOUR: String(hour),
      REMINDER_SPREAD_MINUTES: spreadMinutes,
      TIME_ZONE: zone,
    },
  });
  try {
    const ids = await register(installation, users);
    const before = await commands(installation, ids.slice(0, 20));
    if (Date.now() > beginsAt) throw new Error('the preparation took longer than planned');
    await sleep(beginsAt - Date.now());
    const during = await commands(installation, ids.slice(0, 20));
    const reminded = await installation.db.inTenant('default', (tx) =>
      tx.user.count({ where: { profileCompletionReminders: 1 } }),
    );
    const name = `REMINDER_SPREAD_MINUTES=${spreadMinutes}`;
    console.log(`${name}: ${Math.round(before)} ms before, ${Math.round(during)} ms during, ${reminded} reminded`);
    return [
      { section: 'wave', name: `${name}: commands before, p99`, value: before, unit: 'ms', ratio: 1 },
      { section: 'wave', name: `${name}: commands during, p99`, value: during, unit: 'ms', ratio: during / before },
      { section: 'wave', name: `${name}: reminded in that minute, of ${users}`, value: reminded, unit: '' },
    ];
  } finally {
    await installation.close();
  }
}

/** The first instant from `earliest` on at which a whole hour begins somewhere, where that is, and which hour. */
function nextWholeHour(earliest: number): { readonly beginsAt: number; readonly zone: string; readonly hour: number } {
  let beginsAt = Math.ceil(earliest / MINUTE_MS) * MINUTE_MS;
  let zone = ZONES.get(new Date(beginsAt).getUTCMinutes());
  while (zone === undefined) {
    beginsAt += MINUTE_MS;
    zone = ZONES.get(new Date(beginsAt).getUTCMinutes());
  }
  return { beginsAt, zone, hour: DateTime.fromMillis(beginsAt, { zone }).hour };
}

/** Registers users and waits until both workflows of each have begun. */
async function register({ post, db }: Installation, count: number): Promise<string[]> {
  const ids: string[] = [];
  await drive(count, 50, async () => {
    const authSubject = randomUUID();
    ids.push(String((await post('/users', { authSubject, email: `${authSubject}@example.com` }))['id']));
  });
  await until(
    async () =>
      (await db.inTenant('default', (tx) =>
        tx.user.count({ where: { OR: [{ profileRevision: 0 }, { syncStatus: 'pending' }] } }),
      )) === 0,
    { what: 'every workflow has begun', timeoutMs: 1_800_000 },
  );
  return ids;
}

/** The 99th percentile of what suspending and unsuspending some users takes, a minute long, in milliseconds. */
async function commands({ post }: Installation, ids: readonly string[]): Promise<number> {
  const latencies: number[] = [];
  const endsAt = performance.now() + MEASURED_MS;
  const shares = Array.from({ length: COMMANDS_IN_FLIGHT }, (_, share) =>
    ids.filter((__, index) => index % COMMANDS_IN_FLIGHT === share),
  );
  await Promise.all(
    shares.map(async (mine) => {
      for (let index = 0; performance.now() < endsAt; index += 1) {
        const id = mine[Math.floor(index / 2) % mine.length] ?? '';
        const begunAt = performance.now();
        const command = index % 2 === 0 ? 'suspend' : 'unsuspend';
        // One that takes too long is sent again, and learns what became of it.
        await post(`/users/state-management/${id}/profile/${command}`, {}, randomUUID());
        latencies.push(performance.now() - begunAt);
        await sleep(PAUSE_MS);
      }
    }),
  );
  return quantile(
    latencies.toSorted((a, b) => a - b),
    0.99,
  );
}
