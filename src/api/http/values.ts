import { z } from 'zod';
import { isAtMost } from '../../domain/shared/text.ts';

export { readPlace as readCursor, writePlace as writeCursor } from '../../postgres/keyed-page.ts';

/** The statuses as the API spells them. */
export const userStatus = z.enum(['active', 'pending_profile', 'suspended', 'inactive']);
export const profileCompletionStatus = z.enum(['not_started', 'in_progress', 'completed', 'expired']);
export const syncStatus = z.enum(['pending', 'in_progress', 'synced', 'failed', 'retry']);

/** An id of ours; any UUID, so that one that never was is simply not found. */
export const id = z.guid().toLowerCase();
export const instant = z.iso.datetime();
export const nullableInstant = instant.nullable();

/** A service's name, as in SYNC_SERVICES. */
export const serviceName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/, 'must be lower-case letters, digits, - and _')
  .meta({ example: 'accounting' });

const STORABLE = String.raw`^[^\u0000]*$`;
const NOT_BLANK = String.raw`^[^\u0000]*[^\s\u0000\ufeff][^\u0000]*$`;
const tooLong = (max: number): string => `must have ${max} characters at most`;
const fits =
  (max: number) =>
  (value: string): boolean =>
    isAtMost(value, max);

/**
 * Free text of `max` characters at most, counted as JSON Schema counts them: an emoji is one. It holds no NUL, which
 * `route` sees to.
 */
export const text = (max: number, min = 1) =>
  z.string().min(min).refine(fits(max), tooLong(max)).meta({ maxLength: max, pattern: STORABLE });

/** Free text that is not blank; what surrounds it goes. */
export const trimmedText = (max: number) =>
  z.string().trim().min(1).refine(fits(max), tooLong(max)).meta({ maxLength: max, pattern: NOT_BLANK });

/** The list, whose items must differ from each other. */
export const distinct = <Item extends z.ZodType>(list: z.ZodArray<Item>) =>
  list.refine((items) => new Set(items).size === items.length, 'must be distinct').meta({ uniqueItems: true });

/** The object, of which at least one field must be given; of a filter, none would mean everything. */
export const notEmpty = <Fields extends z.ZodRawShape, Config extends z.core.$ZodObjectConfig>(
  object: z.ZodObject<Fields, Config>,
) =>
  object
    .refine((given) => Object.values(given).some((value) => value !== undefined), 'must name at least one field')
    .meta({ minProperties: 1 });

/** How many items a page has. */
export const pageLimit = z.coerce.number().int().min(1).max(100).default(25);
/** Where the page before ended, as it said in `nextCursor`; any time that PostgreSQL knows, and any id. */
export const pageCursor = z
  .string()
  .regex(/^[0-9]{1,13}_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'is not a cursor of this list')
  .meta({ description: '`nextCursor` of the page before' });
const nextCursor = z.string().nullable().meta({ description: 'Null on the last page' });

/** A page of `item`s. */
export const pageOf = <Item extends z.ZodType>(item: Item) => z.strictObject({ items: z.array(item), nextCursor });
