import { isServiceName } from '../domain/shared/service-name.ts';
import { z } from 'zod';

/** A setting: its default as text, and how it is read. */
export type Setting = readonly [fallback: string, schema: z.ZodType];

/** What a list of settings reads as; keys are the names in the environment. */
export type SettingValues<Settings extends Record<string, Setting>> = {
  readonly [Name in keyof Settings]: z.output<Settings[Name][1]>;
};

/** A setting that can't be used; the message is the one line that an operator reads. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** The error that says what is wrong with a setting. */
export function settingError(name: string, problem: string): ConfigError {
  return new ConfigError(`${name}: ${problem} (see .env.example)`);
}

/** A whole number between two bounds, both allowed. */
export const integer = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^-?\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(least).max(most));
/** A TCP port. */
export const port = integer(1, 65535);
/** A number between two bounds, both allowed. */
export const number = (least: number, most = Number.MAX_VALUE) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'must be a number')
    .transform(Number)
    .pipe(z.number().min(least).max(most));
/** A part of a whole, which is not nothing. */
export const share = number(0, 1).refine((part) => part > 0, 'must be above 0');
/** Texts separated by commas. */
export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
/** true or false. */
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
/** A text; undefined when it is empty. */
export const optional = z.string().transform((text) => (text === '' ? undefined : text));
/** Addresses as host:port. */
export const hostPorts = list.refine(
  (items) => items.every((item) => /^[^\s:]+:\d{1,5}$/.test(item)),
  'must be host:port, separated by commas',
);
/** A cron expression of five fields, which Temporal reads when the worker gives it the schedules. */
export const cron = z.string().min(1, 'must be a cron expression of five fields');
/** An IANA time zone. */
export const timeZone = z.string().refine((name) => {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
}, 'must be an IANA time zone such as Europe/Paris');
/** ISO 3166-1 alpha-2 codes. */
export const countries = list.refine(
  (codes) => codes.every((code) => /^[A-Z]{2}$/.test(code)),
  'must be ISO 3166-1 alpha-2 codes such as FR',
);
/** Names of services, each once. */
export const serviceNames = list.refine(
  (names) => names.every(isServiceName) && new Set(names).size === names.length,
  'must be distinct names of lower-case letters, digits, - and _',
);
