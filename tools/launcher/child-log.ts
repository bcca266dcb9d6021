import { createWriteStream, mkdirSync, renameSync, statSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { z } from 'zod';

const LARGEST_BYTES = 20_000_000;
const KEPT_LINES = 12;

const pinoLine = z
  .string()
  .transform(parse)
  .pipe(
    z.object({
      level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']),
      msg: z.string().optional(),
      err: z.object({ message: z.string().optional() }).optional(),
    }),
  );

/** The output of a child process: all of it goes to `<name>.log`, chosen lines also to the terminal. */
export interface ChildLog {
  follow(stream: Readable): void;
  /** Forgets the last lines, for a new process of the same name. */
  restart(): void;
  /** The last lines, for the message that says why the child ended. */
  lastLines(): string[];
}

/** Opens the log of one child; `toTerminal` picks what a person should see of a line, or undefined. */
export function openChildLog({
  name,
  folder,
  toTerminal,
}: {
  name: string;
  folder: string;
  toTerminal: (line: string) => string | undefined;
}): ChildLog {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${name}.log`);
  let bytes = sizeOf(path);
  let file = open(path);
  const last: string[] = [];

  const write = (line: string) => {
    if (bytes > LARGEST_BYTES) {
      file.end();
      renameSync(path, `${path}.1`);
      file = open(path);
      bytes = 0;
    }
    file.write(`${line}\n`);
    bytes += line.length + 1;
    if (line.trim() !== '') last.push(line);
    if (last.length > KEPT_LINES) last.shift();
    const shown = toTerminal(line);
    if (shown !== undefined) console.log(`${name.padEnd(10)} ${shown}`);
  };
  return {
    follow: (stream) => void createInterface({ input: stream }).on('line', write),
    restart: () => void last.splice(0),
    lastLines: () => [...last],
  };
}

/** Shows pino's warnings and errors, and whatever is not pino's, such as the trace of a crash. */
export function showPinoProblems(line: string): string | undefined {
  const entry = pinoLine.safeParse(line);
  if (!entry.success) return line.trim() === '' ? undefined : line;
  const { level, msg, err } = entry.data;
  if (level !== 'warn' && level !== 'error' && level !== 'fatal') return undefined;
  const cause = err?.message === undefined || err.message === msg ? '' : ` (${err.message})`;
  return `${level === 'warn' ? 'warning' : 'error'}: ${msg ?? line}${cause}`;
}

/** Shows only what ends PostgreSQL or one of its sessions: a refused statement is its caller's to report. */
export function showPostgresProblems(line: string): string | undefined {
  return /\b(FATAL|PANIC):(?!.*the database system is)/.test(line) ? line : undefined;
}

function open(path: string): WriteStream {
  return createWriteStream(path, { flags: 'a', mode: 0o600 });
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
