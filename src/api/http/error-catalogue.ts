import { ALERT_KINDS, ALERT_PROBLEMS } from '../../domain/alerts/codes.ts';
import { NOTIFICATION_CAUSES, NOTIFICATION_FAILURES } from '../../domain/notifications/codes.ts';
import {
  CHOREOGRAPHY_CAUSES,
  ORDER_PROBLEMS,
  ORDER_REFUSALS,
  REFUND_REFUSALS,
  STEP_REFUSALS,
} from '../../domain/orders/codes.ts';
import { PAYMENT_REFUSALS, PORT_FAILURES, SHIPPING_REFUSALS } from '../../domain/orders/port-codes.ts';
import { PROCESS_CAUSES, PROCESS_FAILURES, PROCESS_PROBLEMS, PROCESS_REFUSALS } from '../../domain/process/codes.ts';
import { PROFILE_REFUSALS } from '../../domain/profile/codes.ts';
import { ACTIVITY_CAUSES, SLIP_CAUSES, SLIP_PROBLEMS } from '../../domain/routing-slips/codes.ts';
import { COMMAND_REFUSALS, type CodeEntry, type Explanation, type RefusalEntry } from '../../domain/shared/codes.ts';
import { CONFIRMATION_CAUSES, USER_SYNC_REFUSALS } from '../../domain/user-sync/codes.ts';
import { USER_PROBLEMS, USER_REFUSALS } from '../../domain/users/codes.ts';
import { DEAD_LETTER_PROBLEMS, MESSAGING_CAUSES } from '../../messaging/codes.ts';
import { HTTP_ERRORS, type ErrorEntry } from './http-errors.ts';

const STATUSES = { invalid: 400, forbidden: 403, missing: 404, conflict: 409 } as const satisfies Record<
  RefusalEntry['kind'],
  number
>;

const REFUSALS = {
  ...COMMAND_REFUSALS,
  ...USER_REFUSALS,
  ...USER_PROBLEMS,
  ...PROFILE_REFUSALS,
  ...USER_SYNC_REFUSALS,
  ...PROCESS_REFUSALS,
  ...PROCESS_PROBLEMS,
  ...ORDER_PROBLEMS,
  ...SLIP_PROBLEMS,
  ...DEAD_LETTER_PROBLEMS,
  ...ALERT_PROBLEMS,
} as const satisfies Record<string, RefusalEntry>;

/** Code of a failure that a caller can get. */
export type ErrorCode = keyof typeof REFUSALS | keyof typeof HTTP_ERRORS;

/** Every failure that a caller can get, by code. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorEntry>> = { ...answered(REFUSALS), ...HTTP_ERRORS };

/** Whether `code` is in the catalogue, for codes that come from outside, such as a workflow's failure type. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}

/** Why an order, a refund or another process was turned back or waits: the `code` of each `cause` and `error`. */
export const PROCESS_CODES: Readonly<Record<string, CodeEntry>> = {
  ...PROCESS_CAUSES,
  ...SLIP_CAUSES,
  ...ACTIVITY_CAUSES,
  ...ORDER_REFUSALS,
  ...REFUND_REFUSALS,
  ...STEP_REFUSALS,
  ...PAYMENT_REFUSALS,
  ...SHIPPING_REFUSALS,
  ...PORT_FAILURES,
};

/** Why something is among the dead letters: their `cause`. */
export const DEAD_LETTER_CAUSES: Readonly<Record<string, CodeEntry>> = {
  ...MESSAGING_CAUSES,
  ...CONFIRMATION_CAUSES,
  ...CHOREOGRAPHY_CAUSES,
  ...NOTIFICATION_CAUSES,
};

/** What Temporal shows as the type of a failure, besides the codes above. */
export const TEMPORAL_FAILURES: Readonly<Record<string, CodeEntry>> = { ...PROCESS_FAILURES, ...NOTIFICATION_FAILURES };

/** What an alert is about: its `kind`. */
export const ALERTS: Readonly<Record<string, Explanation>> = ALERT_KINDS;

function answered<Code extends string>(refusals: Readonly<Record<Code, RefusalEntry>>): Record<Code, ErrorEntry> {
  const entries = Object.entries<RefusalEntry>(refusals).map(([code, { kind, ...entry }]) => [
    code,
    { ...entry, status: STATUSES[kind] },
  ]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same keys
  return Object.fromEntries(entries) as Record<Code, ErrorEntry>;
}
