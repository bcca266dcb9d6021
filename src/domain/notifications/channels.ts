/** The channels by which a user can be notified. */
export const NOTIFICATION_CHANNELS = ['email', 'sms'] as const;
export type NotificationChannel = (typeof NOTIFICATION_CHANNELS)[number];

/** Whether `name` is one of the channels. */
export function isNotificationChannel(name: string): name is NotificationChannel {
  return NOTIFICATION_CHANNELS.some((channel) => channel === name);
}

/**
 * The channels by which a user is notified: those it chose and has an address for, else e-mail, which every user has.
 */
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
