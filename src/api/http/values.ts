import { z } from 'zod';
import { Problem } from './problem.ts';

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

/** How many items a page has. */
export const pageLimit = z.coerce.number().int().min(1).max(100).default(25);
/** Where the page before ended, as it said in `nextCursor`. */
export const pageCursor = z.string().min(1).max(300).meta({ description: '`nextCursor` of the page before' });
const nextCursor = z.string().nullable().meta({ description: 'Null on the last page' });

/** A page of `item`s. */
export const pageOf = <Item extends z.ZodType>(item: Item) => z.strictObject({ items: z.array(item), nextCursor });

const position = z.tuple([z.iso.datetime({ precision: 3 }), z.guid()]);

/** Before any row of ours; PostgreSQL, unlike JavaScript, has no year 0000. */
const EARLIEST = new Date(0);

/** The opaque cursor of a list in order of time and id. */
export function writeCursor({ at, id: lastId }: { at: Date; id: string }): string {
  return Buffer.from(JSON.stringify([at.toISOString(), lastId])).toString('base64url');
}

/** What `writeCursor` wrote; anything else is a caller's mistake. */
export function readCursor(cursor: string | undefined, field = 'query.cursor'): { at: Date; id: string } | undefined {
  if (cursor === undefined) return undefined;
  let read: z.ZodSafeParseResult<z.output<typeof position>>;
  try {
    read = position.safeParse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw badCursor(field);
  }
  if (!read.success) throw badCursor(field);
  const [at, lastId] = read.data;
  if (new Date(at) < EARLIEST) throw badCursor(field);
  return { at: new Date(at), id: lastId };
}

function badCursor(field: string): Problem {
  return new Problem('validation_failed', { errors: [{ field, message: 'is not a cursor of this list' }] });
}
