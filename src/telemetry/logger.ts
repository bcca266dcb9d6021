import { pino, type DestinationStream, type Logger } from 'pino';
import type { Config } from '../config/config.ts';

/** What must not reach a log wherever it sits in a record: secrets, and data that tells who a user is. */
const REDACTED = [
  'authorization',
  'cookie',
  'password',
  'token',
  'email',
  'recipient',
  'phone',
  'name',
  'authSubject',
  'url',
];

/** Parts of a record that carry fields of users. */
const HOLDERS = ['user', 'body', 'headers', 'req.headers', 'res.headers', 'req.body', 'notification', 'query'];

/** The process's logger: one JSON object a line, with the part's name and without personal data. */
export function createLogger(
  { LOG_LEVEL }: Pick<Config, 'LOG_LEVEL'>,
  name: string,
  destination: DestinationStream = pino.destination(1),
): Logger {
  return pino(
    {
      name,
      level: LOG_LEVEL,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: [
          ...REDACTED.filter((field) => field !== 'name' && field !== 'url'),
          ...HOLDERS.flatMap((holder) => REDACTED.map((field) => `${holder}.${field}`)),
          'headers["set-cookie"]',
          'res.headers["set-cookie"]',
        ],
        censor: '[redacted]',
      },
    },
    destination,
  );
}
