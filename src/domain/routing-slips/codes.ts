import { conflict, final, missing, passing, type CodeEntry, type RefusalEntry } from '../shared/codes.ts';

/** Refusals of requests about routing slips. */
export const SLIP_PROBLEMS = {
  routing_slip_not_found: missing(
    'Routing slip not found',
    'There is no such routing slip, or another service has sent it.',
    'Check the id, and whether the token is that of the service that sent it.',
  ),
  activity_not_allowed: {
    ...conflict(
      'Activity not allowed',
      'The itinerary names an activity that the caller may not use.',
      'Read `roles` of the activity in `GET /processes/routing-slips/activities`; another caller has to send it.',
    ),
    kind: 'forbidden',
  },
} as const satisfies Record<string, RefusalEntry>;

/** Why a leg of any activity failed. */
export const SLIP_CAUSES = {
  activity_missing: final(
    'Activity missing',
    'The slip names an activity that the code of the workers does not have: it was taken out, or is not deployed yet.',
    'Deploy workers that have it, then retry the step or its undo. Else cancel the slip, or skip what can be skipped.',
  ),
  variable_missing: final(
    'Variable missing',
    'An argument refers to a variable that the slip does not have when the leg is taken.',
    'Send another slip, with the variable, or with a leg before it that gives it; `message` names both.',
  ),
  arguments_invalid: final(
    'Arguments invalid',
    'With the variables as they are when the leg is taken, its arguments do not fit the activity.',
    'Send another slip; `message` names the argument, and `GET /processes/routing-slips/activities` what it may be.',
  ),
  done_by_hand: final(
    'Done by hand',
    'An operator has said that the leg was done by hand, so its undo does not know what there is to be undone.',
    'Undo it by hand, then skip its undo.',
  ),
  too_many_legs: final(
    'Too many legs',
    'A leg has put more legs on the slip than a slip may ever have.',
    'Split the work into several slips; an activity that goes on adding itself is to be mended.',
  ),
  variables_too_large: final(
    'Variables too large',
    'With what the leg gave, the variables of the slip are longer than they may be.',
    'Split the work into several slips, or keep what is large elsewhere and pass where it is.',
  ),
} as const satisfies Record<string, CodeEntry>;
export type SlipCause = keyof typeof SLIP_CAUSES;

/** Why a leg of one of the product's own activities failed, or its undo. */
export const ACTIVITY_CAUSES = {
  tax_number_missing: final(
    'Tax number missing',
    'The plan is for companies with a tax number, the numbers of the country can be checked, and none was given.',
    'Send another slip, with `taxNumber`, or for the plan `starter`.',
  ),
  tax_number_invalid: final(
    'Tax number invalid',
    'The tax number does not have the form or the check digits of its country.',
    'Have it corrected and send another slip.',
  ),
  credit_account_in_use: final(
    'Credit account in use',
    'More is held or owed on the account than the limit allows that it had before, so that limit is not restored.',
    'Settle what is held and owed, then retry the undo; or skip it, and the customer keeps the new limit.',
  ),
  identity_refused: final(
    'Identity refused',
    'The identity has deleted as many users within a day as it may, so it is not registered again.',
    'Send another slip after a day, or without that user. MAX_DELETIONS_PER_DAY is how many it may delete.',
  ),
  users_changing: passing(
    'Users changing',
    'A user that is to be deleted was changed at the same moment.',
    'Wait: the undo is tried again by itself. Should its attempts be used up, retry it.',
  ),
  welcome_refused: final(
    'Welcome refused',
    'The mail server refused the message or its recipient for good, so nobody was welcomed.',
    'Send another slip, with an address that takes mail.',
  ),
  welcome_paused: passing(
    'Welcome paused',
    'NOTIFICATIONS_PAUSED keeps mail back, and so the welcome.',
    'Set it to false and restart the workers, then retry the step.',
  ),
  welcome_not_sent: passing(
    'Welcome not sent',
    'The mail server did not take the message at any attempt.',
    'See that the server of `SMTP_URL` takes messages, then retry the step; skip it if they were welcomed otherwise.',
  ),
} as const satisfies Record<string, CodeEntry>;
export type ActivityCause = keyof typeof ACTIVITY_CAUSES;
