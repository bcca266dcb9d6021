import { Context } from '@temporalio/activity';
import type { Config } from '../../config/config.ts';
import type { Db, Tx } from '../../postgres/client.ts';
import { claimProfile, writeProfile, type WriteOutcome } from '../../db/profile/profile-rows.ts';
import { pendingNotifications } from '../../db/notifications/notifications.ts';
import type { ProfileEvent, ProfileSettings } from '../../domain/profile/profile.ts';
import { shareOf } from '../../domain/shared/spread.ts';
import { writeNotifications, type NotificationOrder } from '../../notifications/write-notifications.ts';
import { unlessUnstorable } from '../unless-unstorable.ts';
import type { ProfileActivities, ProfileChange } from '../../workflows/profile/profile.activities.ts';

const MINUTE_MS = 60_000;

/** The database work of the `profile` workflow. */
export function createProfileActivities({ db, config }: { db: Db; config: Config }): ProfileActivities {
  const settingsOf = (userId: string): ProfileSettings => ({
    marksDays: config.PROFILE_REMINDER_MARKS_DAYS,
    hour: config.REMINDER_HOUR ?? null,
    timeZone: config.TIME_ZONE,
    maxReminders: config.MAX_PROFILE_REMINDERS,
    spreadMs: config.REMINDER_SPREAD_MINUTES * MINUTE_MS,
    spreadShare: shareOf(userId),
  });
  return {
    loadProfileSettings: async ({ userId }) => settingsOf(userId),

    loadProfile: ({ tenantId, userId }) =>
      db.inTenant(tenantId, async (tx) => {
        const claimed = await claimProfile(tx, { tenantId, userId });
        if (claimed === null) return null;
        const notificationIds = await pendingNotifications(tx, { tenantId, userId });
        return { ...claimed, settings: settingsOf(userId), notificationIds };
      }),

    saveProfile: (change) => {
      const settings = settingsOf(change.userId);
      const unsaved = { isSuperseded: false, settings, notificationIds: [] };
      return unlessUnstorable({ db, config }, change.tenantId, unsaved, () =>
        db.inTenant(change.tenantId, async (tx) => {
          const outcome = await writeProfile(tx, {
            ...change,
            writer: Context.current().info.workflowExecution?.runId ?? '',
          });
          return {
            isSuperseded: outcome === 'superseded',
            settings,
            notificationIds: await notify(tx, change, { outcome, config }),
          };
        }),
      );
    },
  };
}

/**
 * Writes the notifications of a step in its transaction, so that there is one of each however often the step is
 * written. One that an earlier attempt wrote is left as it is, although the user's address may have changed since.
 */
async function notify(
  tx: Tx,
  { tenantId, userId, events }: ProfileChange,
  { outcome, config }: { outcome: WriteOutcome; config: Config },
): Promise<string[]> {
  if (outcome !== 'written' && outcome !== 'repeated') return [];
  const ids: string[] = [];
  for (const event of events) {
    const told = toldOf(event);
    if (told === null) continue;
    const step = { tenantId, userId, kind: told.kind, mark: told.markDays, deadline: new Date(told.deadline) };
    ids.push(
      ...(outcome === 'repeated' && (await tx.notification.count({ where: step })) > 0
        ? await pendingNotifications(tx, step)
        : await writeNotifications(tx, { tenantId, userId, settings: config, ...told })),
    );
  }
  return ids;
}

/** The notification that an event leads to; null: none. */
function toldOf(event: ProfileEvent): Pick<NotificationOrder, 'kind' | 'markDays' | 'deadline' | 'now'> | null {
  switch (event.type) {
    case 'ReminderFellDue':
      return { kind: 'profile_reminder', markDays: event.markDays, deadline: event.deadline, now: event.at };
    case 'ProfileExpired':
      return { kind: 'profile_expired', markDays: 0, deadline: event.deadline, now: event.at };
    default:
      return null;
  }
}
