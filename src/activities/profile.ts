import type { Config } from '../config.ts';
import type { Db, Tx } from '../db/client.ts';
import { claimProfile, writeProfile } from '../db/profile-rows.ts';
import { writeNotifications } from '../notifications/write-notifications.ts';
import type { ProfileActivities, ProfileChange } from './profile.types.ts';

/** The database work of the `profile` workflow. */
export function createProfileActivities({ db, config }: { db: Db; config: Config }): ProfileActivities {
  return {
    async loadProfileSettings() {
      return {
        marksDays: config.PROFILE_REMINDER_MARKS_DAYS, hour: config.REMINDER_HOUR ?? null, timeZone: config.TIME_ZONE,
        maxReminders: config.MAX_PROFILE_REMINDERS,
      };
    },

    loadProfile: ({ tenantId, userId }) => db.inTenant(tenantId, (tx) => claimProfile(tx, { tenantId, userId })),

    saveProfile: (change) => db.inTenant(change.tenantId, async (tx) => {
      const isWritten = await writeProfile(tx, change) || await isRevisionOfRow(tx, change);
      return { notificationIds: isWritten ? await notify(tx, change, config) : [] };
    }),
  };
}

/** Whether this very step was written before: its answer got lost and it is asked for again. */
async function isRevisionOfRow(tx: Tx, { tenantId, userId, revision }: ProfileChange): Promise<boolean> {
  return await tx.user.count({ where: { tenantId, id: userId, profileRevision: revision } }) > 0;
}

/** Writes the notifications of a step with it, so that there is one of each however often the step is written. */
async function notify(tx: Tx, { tenantId, userId, events }: ProfileChange, config: Config): Promise<string[]> {
  const ids: string[] = [];
  for (const event of events) {
    if (event.type !== 'ReminderFellDue' && event.type !== 'ProfileExpired') continue;
    const { deadline, at: now } = event;
    ids.push(...await writeNotifications(tx, {
      tenantId, userId, deadline, now, settings: config,
      ...(event.type === 'ReminderFellDue'
        ? { kind: 'profile_reminder', markDays: event.markDays }
        : { kind: 'profile_expired', markDays: 0 }),
    }));
  }
  return ids;
}
