import { z } from 'zod';
import type { UserRow } from '../../db/users/users.ts';
import { isNotificationChannel, NOTIFICATION_CHANNELS } from '../../domain/notifications/channels.ts';
import {
  distinct,
  id,
  instant,
  notEmpty,
  nullableInstant,
  profileCompletionStatus,
  serviceName,
  syncStatus,
  text,
  trimmedText,
  userStatus,
} from '../http/values.ts';

// Without `format: email`, which allows less and more than what is enforced.
const email = z
  .string()
  .regex(z.regexes.html5Email, 'Invalid email address')
  .max(254)
  .toLowerCase()
  .meta({ description: 'An e-mail address as HTML has it; kept in lower case', example: 'ada@example.com' });
const name = trimmedText(200);
const locale = z
  .string()
  .regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/, 'must be a language tag such as fr or en-GB')
  .meta({ example: 'fr' });
const phone = z
  .string()
  .trim()
  .regex(/^\+?[0-9][0-9 ().-]{2,30}$/, 'must be a telephone number')
  .meta({
    example: '+33 1 23 45 67 89',
    // A blank at the end goes before the length is looked at.
    pattern: String.raw`^\+?[0-9][0-9 ().-]{1,29}[0-9().-]$`,
  });

const channel = z.enum(NOTIFICATION_CHANNELS);
const notificationChannels = distinct(z.array(channel).min(1).max(NOTIFICATION_CHANNELS.length)).meta({
  description: 'How the user is notified; `sms` needs a `phone`',
});

/** In JSON Schema: who is told by text message has a telephone number; `required` where no row may hold one already. */
const smsNeedsPhone = (required: readonly 'phone'[]) => ({
  if: { properties: { notificationChannels: { contains: { const: 'sms' } } }, required: ['notificationChannels'] },
  // oxlint-disable-next-line unicorn/no-thenable -- the name is JSON Schema's
  then: { properties: { phone: { type: 'string' } }, ...(required.length === 0 ? {} : { required }) },
});

/** Body of a registration. */
export const registrationSchema = z
  .strictObject({
    authSubject: text(255)
      .refine((subject) => !subject.startsWith('deleted:'), 'must not begin with "deleted:"')
      .meta({
        description: 'Subject claim of the identity provider',
        example: 'auth0|5f7c8ec7c33c6c004bbafe82',
        not: { pattern: '^deleted:' },
      }),
    email,
    name: name.nullish(),
    locale: locale.default('fr'),
    phone: phone.nullish(),
    notificationChannels: notificationChannels.default(['email']),
    servicesToSync: distinct(z.array(serviceName).min(1).max(50)).optional().meta({
      description: 'Services that get a copy of the user; SYNC_SERVICES when absent. Role `user` may not name any',
    }),
  })
  .meta({ id: 'Registration', ...smsNeedsPhone(['phone']) });

/** Body of a change: an absent field stays, null empties it. */
export const userChangesSchema = notEmpty(
  z.strictObject({
    email: email.optional(),
    name: name.nullable().optional(),
    locale: locale.optional(),
    phone: phone.nullable().optional(),
    notificationChannels: notificationChannels.optional(),
  }),
).meta({ id: 'UserChanges', ...smsNeedsPhone([]) });

/** A user, as every answer has it. */
export const userSchema = z
  .strictObject({
    id,
    authSubject: z.string(),
    email: z.string(),
    name: z.string().nullable(),
    locale: z.string(),
    phone: z.string().nullable(),
    notificationChannels: z.array(channel),
    status: userStatus,
    version: z.number().int().meta({ description: 'Counts the changes that other services must learn of' }),
    profileCompletionStatus,
    profileCompletionDeadline: nullableInstant,
    profileCompletedAt: nullableInstant,
    profileCompletionReminders: z.number().int(),
    customerId: z.string().nullable(),
    companyId: z.string().nullable(),
    financialInstitutionId: z.string().nullable(),
    syncStatus,
    lastSyncAttempt: nullableInstant,
    syncRetryCount: z.number().int(),
    lastSyncError: z.string().nullable(),
    syncMetadata: z.strictObject({
      servicesToSync: z.array(z.string()),
      syncedServices: z.array(z.string()).meta({ description: 'Confirmed the current version' }),
      failedServices: z
        .array(z.string())
        .meta({ description: 'Failed with the current version, or stayed silent on it' }),
      lastSuccessfulSync: z.record(z.string(), instant),
    }),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'User' });

export type UserAnswer = z.input<typeof userSchema>;

/** The user as answers have it. */
export function userAnswer({ services, ...row }: UserRow): UserAnswer {
  const synced = services.filter(({ confirmedVersion }) => confirmedVersion === row.version);
  const failed = services.filter(
    ({ confirmedVersion, failedVersion }) => confirmedVersion !== row.version && failedVersion === row.version,
  );
  const namesOf = (some: typeof services) => some.map(({ service }) => service);
  return {
    id: row.id,
    authSubject: row.authSubject,
    email: row.email,
    name: row.name,
    locale: row.locale,
    phone: row.phone,
    notificationChannels: row.notificationChannels.filter(isNotificationChannel),
    status: row.status,
    version: row.version,
    profileCompletionStatus: row.profileCompletionStatus,
    profileCompletionDeadline: row.profileCompletionDeadline?.toISOString() ?? null,
    profileCompletedAt: row.profileCompletedAt?.toISOString() ?? null,
    profileCompletionReminders: row.profileCompletionReminders,
    customerId: row.customerId,
    companyId: row.companyId,
    financialInstitutionId: row.financialInstitutionId,
    syncStatus: row.syncStatus,
    lastSyncAttempt: row.lastSyncAttempt?.toISOString() ?? null,
    syncRetryCount: row.syncRetryCount,
    lastSyncError: row.lastSyncError,
    syncMetadata: {
      servicesToSync: namesOf(services),
      syncedServices: namesOf(synced),
      failedServices: namesOf(failed),
      lastSuccessfulSync: Object.fromEntries(
        services.flatMap(({ service, lastSuccessfulSync }) =>
          lastSuccessfulSync === null ? [] : [[service, lastSuccessfulSync.toISOString()]],
        ),
      ),
    },
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
