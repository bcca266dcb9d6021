/** Name, help and labels of what is counted in the database. */
export const GAUGES = {
  steadfast_dead_letters_parked: ['Dead letters that wait for an operator, by source.', ['source']],
  steadfast_alerts_open: ['Alerts that are not resolved, by kind and severity.', ['kind', 'severity']],
  steadfast_pending_starts_waiting: ['Calls that wait in the workflow outbox.', []],
  steadfast_pending_starts_oldest_age_seconds: ['Age of the oldest call in the workflow outbox.', []],
  steadfast_notifications_waiting: ['Notifications that were not handed over yet.', []],
  steadfast_outgoing_log_lag_seconds: ['Age of the oldest outgoing message that was not relayed yet.', []],
  steadfast_log_horizon_lag_seconds: [
    'Age of the oldest row of a log that an open transaction keeps from being read.',
    [],
  ],
  steadfast_users: ['Users, by status.', ['status']],
  steadfast_users_by_profile_status: ['Users, by status of profile completion.', ['status']],
  steadfast_users_by_sync_status: ['Users, by synchronisation status.', ['status']],
  steadfast_unsynced_users: [
    'Users whose copies are not all right, by synchronisation status and retries so far.',
    ['status', 'retries'],
  ],
} as const satisfies Record<string, readonly [string, readonly string[]]>;

/** Name of a gauge that is counted in the database. */
export type GaugeName = keyof typeof GAUGES;

/** The names of all of them. */
export function gaugeNames(): GaugeName[] {
  return Object.keys(GAUGES).filter((name): name is GaugeName => name in GAUGES);
}
