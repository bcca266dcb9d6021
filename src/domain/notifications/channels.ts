/** Ways by which a user can be told something. */
export const NOTIFICATION_CHANNELS = ['email', 'sms'] as const;
export type NotificationChannel = (typeof NOTIFICATION_CHANNELS)[number];

/** Whether `name` is a channel that we have. */
export function isNotificationChannel(name: string): name is NotificationChannel {
  return NOTIFICATION_CHANNELS.some((channel) => channel === name);
}

/** The channels by which a user is told: those of its choice that can reach it, else e-mail, which every user has. */
export function channelsOf({
  notificationChannels,
  phone,
}: {
  notificationChannels: readonly string[];
  phone: string | null;
}): NotificationChannel[] {
  const chosen = notificationChannels
    .filter(isNotificationChannel)
    .filter((channel) => channel !== 'sms' || phone !== null);
  return chosen.length === 0 ? ['email'] : chosen;
}
