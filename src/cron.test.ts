import test from 'ava';
import { cronProblem } from './cron.ts';

for (const text of [
  '* * * * *',
  '0 10 * * *',
  '*/30 * * * *',
  '0,30 8-18/2 1-15 jan-JUN,12 mon-fri',
  '5/10 0 1 1 7',
  ' 0  0 * * 0 ',
]) {
  test(`cronProblem has nothing against '${text}'`, (t) => t.is(cronProblem(text), undefined));
}

for (const [text, field] of [
  ['a b c d e', 'minute'],
  ['60 * * * *', 'minute'],
  ['*/0 * * * *', 'minute'],
  ['*/60 * * * *', 'minute'],
  ['1,, * * * *', 'minute'],
  ['0 24 * * *', 'hour'],
  ['0 9-8 * * *', 'hour'],
  ['0 1-2-3 * * *', 'hour'],
  ['0 0 0 * *', 'day of month'],
  ['0 0 * 13 *', 'month'],
  ['0 0 * mon *', 'month'],
  ['0 0 * * 8', 'day of week'],
  ['0 0 * * 1/2/3', 'day of week'],
  ['-1 * * * *', 'minute'],
] as const) {
  test(`cronProblem names the ${field} of '${text}'`, (t) =>
    t.regex(cronProblem(text) ?? '', new RegExp(`whose ${field} is`)));
}

for (const text of ['', '@daily', '* * * *', '* * * * * *']) {
  test(`cronProblem wants five fields, not '${text}'`, (t) => t.regex(cronProblem(text) ?? '', /five fields/));
}
