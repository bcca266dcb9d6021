const NAMES_OF_MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const NAMES_OF_DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** What may stand for a number, from `least` on. */
  readonly names: readonly string[];
}

const FIELDS: readonly Field[] = [
  { name: 'minute', least: 0, most: 59, names: [] },
  { name: 'hour', least: 0, most: 23, names: [] },
  { name: 'day of month', least: 1, most: 31, names: [] },
  { name: 'month', least: 1, most: 12, names: NAMES_OF_MONTHS },
  { name: 'day of week', least: 0, most: 7, names: NAMES_OF_DAYS },
];

/** What is wrong with a cron expression of five fields, in words that follow its name; undefined: nothing. */
export function cronProblem(text: string): string | undefined {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== FIELDS.length) return 'must be a cron expression of five fields';
  const wrong = FIELDS.find((field, index) => !(fields[index] ?? '').split(',').every((part) => isPart(part, field)));
  return (
    wrong &&
    `must be a cron expression whose ${wrong.name} is *, numbers from ${wrong.least} to ${wrong.most}, ranges, ` +
      `lists or steps`
  );
}

/** `*`, `n` or `n-m`, with `/step` behind it or not. */
function isPart(part: string, field: Field): boolean {
  const [range = '', step, ...rest] = part.split('/');
  if (rest.length > 0 || (step !== undefined && !isWithin(digits(step), 1, field.most))) return false;
  if (range === '*') return true;
  const [from = '', to, ...more] = range.split('-');
  const [first, last] = [valueOf(from, field), valueOf(to ?? from, field)];
  return more.length === 0 && isWithin(first, field.least, field.most) && isWithin(last, first, field.most);
}

function valueOf(text: string, { names, least }: Field): number {
  const place = names.indexOf(text.toLowerCase());
  return place === -1 ? digits(text) : place + least;
}

function digits(text: string): number {
  return /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
}

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most; // false of NaN
}
