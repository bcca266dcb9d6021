import type { RefusalCode } from '../../domain/shared/decision.ts';

/** One expected failure: how it is answered, what it says, and whether the same request may succeed later. */
export interface ErrorEntry {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly retryable: boolean;
}

const refused = (title: string, detail: string): ErrorEntry => ({ status: 409, title, detail, retryable: false });

const REFUSALS = {
  invalid_payload: {
    status: 400,
    title: 'Invalid payload',
    detail: "The command carries a value that it can't have.",
    retryable: false,
  },
  unknown_signal: refused('Unknown signal', 'The workflow knows no signal of this name.'),
  profile_already_completed: refused('Profile already complete', 'The profile is already complete.'),
  profile_expired: refused('Profile expired', 'The profile has expired; an administrator can reactivate it.'),
  profile_not_expired: refused('Profile not expired', 'Only an expired profile can be reactivated.'),
  user_suspended: refused('User suspended', 'The user is suspended.'),
  user_not_suspended: refused('User not suspended', 'The user is not suspended.'),
  unknown_service: {
    status: 404,
    title: 'Unknown service',
    detail: 'The user is not synchronised to this service.',
    retryable: false,
  },
  unknown_version: refused('Unknown version', 'This version of the user was never published.'),
  user_deleted: { status: 404, title: 'User deleted', detail: 'There is no such user any more.', retryable: false },
  process_closed: refused('Process closed', 'The process is over; nothing changes it any more.'),
  process_not_parked: refused(
    'Process not parked',
    "The process does not wait for an operator's decision of this kind.",
  ),
  process_turned_back: refused('Process turned back', 'The process is being undone already.'),
  past_point_of_no_return: refused(
    'Past the point of no return',
    "What is done can no longer be undone, so it can't be cancelled.",
  ),
  unknown_event: {
    status: 404,
    title: 'Unknown event',
    detail: 'No step of the process waits for this event.',
    retryable: false,
  },
  unknown_step: {
    status: 404,
    title: 'Unknown step',
    detail: 'The process has no such step whose undo has failed.',
    retryable: false,
  },
  cancellation_refused: refused(
    'Cancellation refused',
    'This workflow ends when its user is deleted, not by cancellation.',
  ),
} as const satisfies Record<RefusalCode, ErrorEntry>;

const REQUESTS = {
  bad_request: { status: 400, title: 'Bad request', detail: "The request can't be read.", retryable: false },
  malformed_json: { status: 400, title: 'Malformed JSON', detail: 'The body is not a JSON object.', retryable: false },
  validation_failed: {
    status: 400,
    title: 'Validation failed',
    detail: 'A value is missing or not allowed; `errors` says which.',
    retryable: false,
  },
  phone_required: {
    status: 400,
    title: 'Telephone number required',
    detail: 'A user who is told by text message needs a telephone number.',
    retryable: false,
  },
  unauthenticated: {
    status: 401,
    title: 'Not authenticated',
    detail: 'Send a valid token: `Authorization: Bearer …`.',
    retryable: false,
  },
  forbidden: { status: 403, title: 'Forbidden', detail: 'The role of this token may not do this.', retryable: false },
  account_inactive: {
    status: 403,
    title: 'Account inactive',
    detail: 'The user is inactive or suspended and may only read itself.',
    retryable: false,
  },
  not_found: { status: 404, title: 'Not found', detail: 'There is nothing at this address.', retryable: false },
  user_not_found: {
    status: 404,
    title: 'User not found',
    detail: 'There is no such user, or it is not yours to see.',
    retryable: false,
  },
  dead_letter_not_found: {
    status: 404,
    title: 'Dead letter not found',
    detail: 'There is no such dead letter.',
    retryable: false,
  },
  alert_not_found: { status: 404, title: 'Alert not found', detail: 'There is no such alert.', retryable: false },
  bulk_operation_not_found: {
    status: 404,
    title: 'Bulk operation not found',
    detail: 'There is no such bulk operation, or it is past its retention.',
    retryable: false,
  },
  process_not_found: { status: 404, title: 'Process not found', detail: 'There is no such process.', retryable: false },
  order_not_found: {
    status: 404,
    title: 'Order not found',
    detail: 'There is no such order, or it is not yours to see.',
    retryable: false,
  },
  refund_not_found: { status: 404, title: 'Refund not found', detail: 'There is no such refund.', retryable: false },
  product_not_found: { status: 404, title: 'Product not found', detail: 'There is no such product.', retryable: false },
  customer_required: {
    status: 403,
    title: 'Customer required',
    detail: 'Only an active user may order, and only for its own customer.',
    retryable: false,
  },
  shipment_not_found: refused('Not shipped', 'The warehouse has not accepted a shipment of this order.'),
  order_not_completed: refused('Order not completed', 'Only a completed order can be refunded.'),
  stock_too_low: refused('Stock too low', 'There would be less on hand than is reserved for orders.'),
  too_many_streams: {
    status: 429,
    title: 'Too many streams',
    detail: 'This caller follows as many streams as it may; close one of them.',
    retryable: true,
  },
  dead_letter_not_parked: refused('Dead letter not parked', 'The dead letter was replayed or discarded already.'),
  dead_letter_busy: {
    status: 409,
    title: 'Dead letter busy',
    detail: 'Somebody else is replaying it at this moment.',
    retryable: true,
  },
  dead_letter_not_replayable: refused(
    'Dead letter not replayable',
    'There is no way to replay what this source parked; discard it.',
  ),
  alert_already_resolved: refused('Alert already resolved', 'The alert is resolved already.'),
  idempotency_in_progress: {
    status: 409,
    title: 'Request in progress',
    detail: 'The first request with this Idempotency-Key is still being carried out.',
    retryable: true,
  },
  idempotency_key_reused: {
    status: 422,
    title: 'Idempotency-Key reused',
    detail: 'This Idempotency-Key was used with another body.',
    retryable: false,
  },
  body_too_large: { status: 413, title: 'Body too large', detail: 'The body exceeds BODY_LIMIT_KB.', retryable: false },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    detail: 'Send the body as application/json in UTF-8.',
    retryable: false,
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    detail: 'The limit of requests a minute is reached; Retry-After says when to go on.',
    retryable: true,
  },
} as const satisfies Record<string, ErrorEntry>;

const FAILURES = {
  internal_error: {
    status: 500,
    title: 'Internal error',
    detail: 'Something unexpected happened; `instance` finds it in the logs.',
    retryable: false,
  },
  database_unavailable: {
    status: 503,
    title: 'Database unavailable',
    detail: 'PostgreSQL does not answer; the request can be sent again.',
    retryable: true,
  },
  temporal_unavailable: {
    status: 503,
    title: 'Temporal unavailable',
    detail: 'Temporal or its workers do not answer; send the command again, with the same Idempotency-Key.',
    retryable: true,
  },
  command_timeout: {
    status: 503,
    title: 'Command not confirmed',
    detail:
      'No answer came in time. The command may still take effect; repeat it with the same Idempotency-Key to learn ' +
      'its outcome.',
    retryable: true,
  },
  streams_exhausted: {
    status: 503,
    title: 'Streams exhausted',
    detail: 'This process of the API serves as many streams as it can; connect again later.',
    retryable: true,
  },
  identity_provider_unavailable: {
    status: 503,
    title: 'Identity provider unavailable',
    detail: "The keys that tokens are verified with can't be fetched.",
    retryable: true,
  },
} as const satisfies Record<string, ErrorEntry>;

/** Every failure that a caller can get, by code. */
export const ERRORS = { ...REFUSALS, ...REQUESTS, ...FAILURES } as const satisfies Record<string, ErrorEntry>;

/** Code of a failure that a caller can get. */
export type ErrorCode = keyof typeof ERRORS;

/** Whether `code` is in the catalogue, for codes that come from outside, such as a workflow's failure type. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}

/** Why something is among the dead letters, by code. */
export const DEAD_LETTER_CAUSES: Readonly<Record<string, string>> = {
  malformed_event: 'The message is not the event that its topic promises.',
  unknown_user: 'The message is about a user that does not exist here.',
  unknown_service: 'The message comes from a service that the user is not synchronised to.',
  unknown_version: 'The message is about a version of the user that was never published.',
  handler_failed: "Taking the message's effect failed at every attempt.",
  publish_failed: 'The bus refused the message at every attempt.',
  call_refused: 'Temporal refuses the promised call on a workflow for good.',
  recipient_refused: 'The mail server or the SMS webhook refused the notification or its recipient for good.',
  mail_server_unavailable: 'The notification could not be handed over at any attempt, or no mail server is configured.',
  sms_unavailable: 'The text message could not be handed over at any attempt, or no SMS webhook is configured.',
  notifications_paused: 'NOTIFICATIONS_PAUSED keeps notifications back.',
  notification_busy: 'Another process is delivering the notification at this moment.',
};
