import { invalid, type Parsed } from '../shared/decision.ts';
import { fieldsOf } from '../shared/payload.ts';
import { isAtMost, isStorableText } from '../shared/text.ts';
import type { CustomerKind, ProfileCommand } from './profile.ts';

/** Longest extension that a reactivation may give, in days. */
export const MAX_EXTENSION_DAYS = 365;

const CUSTOMER_KINDS: readonly string[] = ['company', 'financial_institution'] satisfies CustomerKind[];

/** Reads the payload of `complete`: `{ customerId, customerKind }`. */
export function parseComplete(payload: unknown): Parsed<ProfileCommand> {
  const { customerId, customerKind } = fieldsOf(payload);
  if (!isStorableText(customerId) || customerId === '' || !isAtMost(customerId, 200)) {
    return invalid('customerId must be a text of 1 to 200 characters');
  }
  if (!isCustomerKind(customerKind)) return invalid('customerKind must be "company" or "financial_institution"');
  return { ok: true, value: { type: 'complete', customer: { id: customerId, kind: customerKind } } };
}

/** Reads the payload of `reactivate`: `{ extensionDays }`, above 0 and at most 365, fractions allowed. */
export function parseReactivate(payload: unknown): Parsed<ProfileCommand> {
  const { extensionDays } = fieldsOf(payload);
  if (typeof extensionDays !== 'number' || !(extensionDays > 0 && extensionDays <= MAX_EXTENSION_DAYS)) {
    return invalid(`extensionDays must be a number above 0 and at most ${MAX_EXTENSION_DAYS}`);
  }
  return { ok: true, value: { type: 'reactivate', extensionDays } };
}

function isCustomerKind(value: unknown): value is CustomerKind {
  return typeof value === 'string' && CUSTOMER_KINDS.includes(value);
}
