import { conflict, missing, type RefusalEntry } from '../shared/codes.ts';

/** Refusals by the workflows that live as long as a user. */
export const USER_REFUSALS = {
  user_deleted: missing(
    'User deleted',
    'There is no such user any more.',
    'Nothing: a deletion is final. Register the person again if that is meant.',
  ),
  cancellation_refused: conflict(
    'Cancellation refused',
    'This workflow ends when its user is deleted, not by cancellation.',
    'Delete the user; or terminate the workflow, to have the audit start it again from the row.',
  ),
} satisfies Record<string, RefusalEntry>;
export type UserRefusal = keyof typeof USER_REFUSALS;

/** What else callers hear about users. */
export const USER_PROBLEMS = {
  user_not_found: missing(
    'User not found',
    'There is no such user, or it is not yours to see.',
    "Check the id, and the tenant and subject of the token: a user sees itself alone, and nobody another tenant's.",
  ),
  phone_required: {
    title: 'Telephone number required',
    detail: 'A user who is told by text message needs a telephone number.',
    remedy: 'Send `phone` along, or leave `sms` out of `notificationChannels`.',
    retryable: false,
    kind: 'invalid',
  },
  account_inactive: {
    title: 'Account inactive',
    detail: 'The user is inactive or suspended and may only read itself.',
    remedy: 'Have an administrator reactivate the profile, or lift the suspension.',
    retryable: false,
    kind: 'forbidden',
  },
} as const satisfies Record<string, RefusalEntry>;
