const DATABASE_CODES: ReadonlySet<string> = new Set([
  'P1000',
  'P1001',
  'P1002',
  'P1008',
  'P1017',
  'P2024',
  'P2028',
  'P2037', // Prisma: unreachable, timed out, closed, no connection to be had
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '53300',
  '25P03',
  '25P04', // PostgreSQL: shutting down, starting, too many, timed out
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
const DATABASE_MESSAGES = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'Client has encountered a connection error',
  "Can't reach database server",
  'DatabaseNotReachable',
  'Server has closed the connection',
];

/** Whether `error`, or what caused it, says that PostgreSQL is out of reach. */
export function isDatabaseAway(error: unknown): boolean {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    if ('code' in at && typeof at.code === 'string' && (DATABASE_CODES.has(at.code) || at.code.startsWith('08')))
      return true;
    if ('originalCode' in at && typeof at.originalCode === 'string' && DATABASE_CODES.has(at.originalCode)) return true;
    if (DATABASE_MESSAGES.some((text) => at.message.includes(text))) return true;
    if (at instanceof AggregateError && at.errors.some(isDatabaseAway)) return true;
  }
  return false;
}

const UNIQUE_VIOLATION = '23505';

/** Whether `error` says that what was to be inserted is there already. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION;
}
