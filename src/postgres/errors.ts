import { Prisma } from './generated/client.ts';

/** SQLSTATEs, codes of Prisma and codes of Node that say: not now. */
const TEMPORARY_CODES: ReadonlySet<string> = new Set(
  [
    // Prisma: unreachable, timed out, closed, no connection to be had, no transaction in time, a conflict of writes
    ['P1000', 'P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2034', 'P2037'],
    // PostgreSQL: shutting down, starting, idle for too long
    ['57P01', '57P02', '57P03', '57P05', '25P03', '25P04'],
    // PostgreSQL: cancelled or out of time, lock not to be had, deadlock, serialisation failure, a standby
    ['57014', '55P03', '40P01', '40001', '25006'],
    ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN'],
  ].flat(),
);
/** Classes of SQLSTATEs: no connection, no resources left. */
const TEMPORARY_CLASSES = /^(08|53)[0-9A-Z]{3}$/;
const TEMPORARY_MESSAGES = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'timeout expired',
  'Query read timeout',
  'Client has encountered a connection error',
  'Client was closed',
  "Can't reach database server",
  'DatabaseNotReachable',
  'Server has closed the connection',
];
const DEEPEST_CAUSE = 8;

/**
 * Whether `error`, or what caused it, says that PostgreSQL is out of reach or too busy at the moment: nothing is wrong
 * with what it was asked, and the same may succeed later.
 */
export function isDatabaseAway(error: unknown): boolean {
  return isAway(error, DEEPEST_CAUSE);
}

// Prisma wraps what the driver said: as `cause`, which need not be an Error, and below `meta`.
function isAway(error: unknown, depth: number): boolean {
  if (typeof error !== 'object' || error === null || depth === 0) return false;
  const { code, originalCode, message, cause, errors, meta }: Record<string, unknown> = Object.fromEntries(
    ['code', 'originalCode', 'message', 'cause', 'errors', 'meta'].map((name) => [name, Reflect.get(error, name)]),
  );
  if ([code, originalCode].some(isTemporaryCode)) return true;
  if (typeof message === 'string' && TEMPORARY_MESSAGES.some((text) => message.includes(text))) return true;
  const inner = [cause, ...(Array.isArray(errors) ? errors : []), ...(isObject(meta) ? Object.values(meta) : [])];
  return inner.some((each) => isAway(each, depth - 1));
}

/** SQLSTATEs and codes of Prisma that say: such a row can't be. */
const UNSTORABLE_CODES =
  /^(22[0-9A-Z]{3}|54[0-9A-Z]{3}|23502|23514|P2000|P2004|P2005|P2006|P2007|P2011|P2012|P2020|P2033)$/;

/**
 * Whether `error`, or what caused it, says that a value can't be kept: a number, date or text that no column takes. The
 * same again fails again.
 */
export function isUnstorable(error: unknown): boolean {
  return isRefused(error, DEEPEST_CAUSE);
}

function isRefused(error: unknown, depth: number): boolean {
  if (!isObject(error) || depth === 0) return false;
  if (error instanceof RangeError || error instanceof Prisma.PrismaClientValidationError) return true;
  const [code, originalCode, cause, meta] = ['code', 'originalCode', 'cause', 'meta'].map((name): unknown =>
    Reflect.get(error, name),
  );
  if ([code, originalCode].some((each) => typeof each === 'string' && UNSTORABLE_CODES.test(each))) return true;
  return [cause, ...(isObject(meta) ? Object.values(meta) : [])].some((each) => isRefused(each, depth - 1));
}

function isTemporaryCode(code: unknown): boolean {
  return typeof code === 'string' && (TEMPORARY_CODES.has(code) || TEMPORARY_CLASSES.test(code));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

const UNIQUE_VIOLATION = '23505';

/** Whether `error` says that what was to be inserted is there already. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION;
}
