import { z } from 'zod';
import { flag, list, optional, settingError, type Setting, type SettingValues } from './setting.ts';

/** Settings of mail and text messages. */
export const notificationsSettings = {
  SMTP_URL: [
    '',
    optional.pipe(
      z
        .string()
        .regex(/^smtps?:\/\//, 'must be an smtp:// or smtps:// URL')
        .optional(),
    ),
  ],
  MAIL_FROM: ['Steadfast <no-reply@steadfast.example>', z.string().min(3)],
  SMS_WEBHOOK_URL: ['', optional.pipe(z.url({ protocol: /^https?$/ }).optional())],
  SMS_WEBHOOK_SECRET: ['', optional.pipe(z.string().min(16, 'must have 16 characters at least').optional())],
  ADMIN_EMAILS: ['', list.pipe(z.array(z.email()))],
  NOTIFICATIONS_PAUSED: ['false', flag],
  PUBLIC_APP_URL: ['http://localhost:3000', z.url()],
} as const satisfies Record<string, Setting>;

/** Fails when text messages are posted without a secret to sign them with. */
export function assertNotificationSettings(config: SettingValues<typeof notificationsSettings>): void {
  if (config.SMS_WEBHOOK_URL !== undefined && config.SMS_WEBHOOK_SECRET === undefined) {
    throw settingError('SMS_WEBHOOK_SECRET', 'SMS_WEBHOOK_URL needs it, to sign what it posts');
  }
}
