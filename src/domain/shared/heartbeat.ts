/** After so long without a sign of life the worker that has an activity in hand is taken for dead. */
export const HEARTBEAT_TIMEOUT_MS = 10_000;
