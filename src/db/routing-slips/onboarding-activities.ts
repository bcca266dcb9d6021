import { z } from 'zod';
import { isAtMost, isStorableText } from '../../domain/shared/text.ts';
import { PLANS } from '../../domain/routing-slips/plan-onboarding.ts';
import type { SlipActivity } from './slip-activity.ts';

const text = (max: number) =>
  z
    .string()
    .min(1)
    .refine((value) => isStorableText(value) && isAtMost(value, max), `must have ${max} characters at most`)
    .meta({ maxLength: max });
const customerId = text(200);
const country = z
  .string()
  .regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 alpha-2 code')
  .meta({ example: 'FR' });
const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code')
  .meta({ example: 'EUR' });
const taxNumber = text(40).meta({ description: 'As the country writes it, with its prefix or without' });
const amountMinor = z.int().min(0);
const email = z.string().regex(z.regexes.html5Email, 'Invalid email address').max(254).toLowerCase();
const locale = z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/, 'must be a language tag such as fr or en-GB');

const MOST_USERS = 20;

/** The activities by which a company is taken on. */
export const ONBOARDING_ACTIVITIES = {
  plan_onboarding: {
    summary: 'Plans the onboarding of a company by its country and plan, and puts the legs for it on the slip',
    arguments: z.strictObject({
      companyId: customerId.meta({ description: 'The customer whose credit account is opened' }),
      country,
      plan: z.enum(PLANS),
      taxNumber: taxNumber.optional(),
      currency: currency.default('EUR').meta({ description: 'Of its credit' }),
    }),
    result: z.strictObject({ needsTaxCheck: z.boolean(), creditLimitMinor: amountMinor }),
    roles: ['service', 'operator', 'admin'],
    revises: true,
  },
  check_tax_number: {
    summary: 'Checks the form and the check digits of a tax number of a country of the European Union',
    arguments: z.strictObject({ country, taxNumber }),
    result: z.strictObject({ taxNumber: taxNumber.optional().meta({ description: 'Without blanks and prefix' }) }),
    roles: ['service', 'operator', 'admin'],
    canSkip: true,
  },
  open_credit_account: {
    summary: 'Opens a credit account for a customer, or raises its limit; a higher one stays',
    arguments: z.strictObject({ customerId, currency, limitMinor: amountMinor }),
    result: z.strictObject({ creditLimitMinor: amountMinor }),
    roles: ['operator', 'admin'],
    undo: 'Restores the limit that it had, or closes the account; not below what is held and owed',
  },
  invite_users: {
    summary: 'Registers users who are not registered yet',
    arguments: z.strictObject({
      users: z
        .array(
          z.strictObject({
            authSubject: text(255).refine((value) => !value.startsWith('deleted:'), 'must not begin with "deleted:"'),
            email,
            name: text(200).optional(),
            locale: locale.default('fr'),
          }),
        )
        .min(1)
        .max(MOST_USERS)
        .refine(
          (users) => new Set(users.map(({ authSubject }) => authSubject)).size === users.length,
          'must be distinct by authSubject',
        ),
    }),
    result: z.strictObject({ userIds: z.array(z.guid()).meta({ description: 'In the order of `users`' }) }),
    roles: ['service', 'operator', 'admin'],
    undo: 'Deletes those whom it registered and who have not completed their profile since',
  },
  send_welcome: {
    summary: 'Welcomes somebody by mail',
    arguments: z.strictObject({ email, companyName: text(200).optional(), locale: locale.default('fr') }),
    result: z.strictObject({
      isWelcomed: z.boolean().meta({ description: 'False: no mail server is configured, or it was done by hand' }),
    }),
    roles: ['service', 'operator', 'admin'],
    isRemote: true,
    isPivot: true,
    canSkip: true,
  },
} as const satisfies Record<string, SlipActivity>;
