import { globSync, readFileSync } from 'node:fs';
import test from 'ava';
import { z } from 'zod';
import { isWaiting, overdueCode } from '../../domain/process/definition.ts';
import { PROCESS_TYPES } from '../../domain/process/registry.ts';
import { ALERTS, DEAD_LETTER_CAUSES, ERRORS, PROCESS_CODES, TEMPORAL_FAILURES } from './error-catalogue.ts';
import { errorsHtml, errorsMarkdown } from './errors-page.ts';

const ROOT = new URL('../../../', import.meta.url);
const SECTIONS = { ERRORS, PROCESS_CODES, DEAD_LETTER_CAUSES, TEMPORAL_FAILURES, ALERTS };
const CODES: ReadonlySet<string> = new Set(Object.values(SECTIONS).flatMap((codes) => Object.keys(codes)));

/** Where codes are explained, and hence not given. */
const EXPLAINED = /\/(codes|port-codes|http-errors|error-catalogue)\.ts$/;
const explanations = z.record(z.string(), z.object({ detail: z.string(), remedy: z.string() }));

const files = globSync(['src/**/*.ts', 'packages/**/*.ts', '*.ts'], { cwd: ROOT })
  .filter((path) => !/\.test\.ts$|\/generated\/|\/node_modules\/|\/dist\//.test(path))
  .map((path) => ({ path, text: readFileSync(new URL(path, ROOT), 'utf8') }));
const sources = files.filter(({ path }) => !EXPLAINED.test(path));

/** Codes that the declarations of processes bring along. */
function declaredBySteps(): { readonly classed: readonly string[]; readonly overdue: readonly string[] } {
  const steps = Object.values(PROCESS_TYPES).flatMap((definition) => Object.values(definition.steps));
  return {
    classed: steps.flatMap((step) => (isWaiting(step) ? [] : Object.keys(step.failures ?? {}))),
    overdue: steps.flatMap((step) => (isWaiting(step) && step.late === 'fail' ? [overdueCode(step)] : [])),
  };
}

/** The first group of each match, with the file that it is in. */
function found(pattern: RegExp): { readonly code: string; readonly path: string }[] {
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(pattern)].map(([, code = '']) => ({ code, path })).filter(({ code }) => code !== 'custom'),
  );
}

test('whatever a domain declares is on the page as the domain explains it', async (t) => {
  const declaring = files.filter(({ path }) => /\/(codes|port-codes|http-errors)\.ts$/.test(path));
  t.true(declaring.length > 9);
  for (const { path } of declaring) {
    const exported: Record<string, unknown> = await import(new URL(path, ROOT).href);
    for (const [name, declared] of Object.entries(exported)) {
      if (typeof declared === 'function') continue;
      for (const [code, { detail, remedy }] of Object.entries(explanations.parse(declared))) {
        const isThere = Object.values(SECTIONS).some((codes: Record<string, { detail: string; remedy: string }>) => {
          const entry = Object.hasOwn(codes, code) ? codes[code] : undefined;
          return entry?.detail === detail && entry.remedy === remedy;
        });
        t.true(isThere, `${code} of ${name} in ${path}`);
      }
    }
  }
});

for (const { title, pattern, section } of [
  { title: 'refusal', section: ERRORS, pattern: /\brefuse\(\s*'(\w+)'/g },
  { title: 'problem', section: ERRORS, pattern: /\bnew Problem\(\s*'(\w+)'/g },
  { title: 'dead letter', section: DEAD_LETTER_CAUSES, pattern: /\bnew PoisonError(?:<\w+>)?\(\s*'(\w+)'/g },
  { title: 'parking', section: DEAD_LETTER_CAUSES, pattern: /\bparkingCause\([^)]*'(\w+)'/g },
  { title: 'cause of a dead letter', section: DEAD_LETTER_CAUSES, pattern: /\bcause: '(\w+)'/g },
  { title: 'refused step', section: PROCESS_CODES, pattern: /\bisDone: false,\s*code: '(\w+)'/g },
  {
    title: 'code of an object',
    section: Object.fromEntries([...CODES].map((code) => [code, true])),
    pattern: /\bcode: '(\w+)'(?! in )/g,
  },
])
  test(`each ${title} that the source names is explained in its section`, (t) => {
    const codes = found(pattern);
    t.true(codes.length > 0);
    for (const { code, path } of codes) t.true(Object.hasOwn(section, code), `${code} in ${path}`);
  });

test('each failure that the source hands to Temporal or to a step is explained', (t) => {
  // A message has a space in it, a type has none.
  const failures = found(/\b(?:ApplicationFailure\.\w+|new StepFailure(?:<\w+>)?)\(((?:[^()]|\([^()]*\))*)\)/g).flatMap(
    ({ code, path }) => [...code.matchAll(/'([a-z]\w+)'/g)].map(([, type = '']) => ({ type, path })),
  );
  t.true(failures.length > 5);
  for (const { type, path } of failures) t.true(CODES.has(type), `${type} in ${path}`);
});

test('each failure that a step classes, and each wait that fails, is explained', (t) => {
  const { classed, overdue } = declaredBySteps();
  t.true(classed.length > 0 && overdue.length > 0);
  for (const code of [...classed, ...overdue]) t.true(Object.hasOwn(PROCESS_CODES, code), code);
});

test('each code of the page is given somewhere', (t) => {
  const { classed, overdue } = declaredBySteps();
  const proxy = readFileSync(new URL('deploy/nginx/nginx.conf', ROOT), 'utf8');
  const told = [...proxy.matchAll(/"code":"(\w+)"/g)].map(([, code = '']) => code);
  const given = new Set([...classed, ...overdue, ...told]);
  for (const { text } of sources)
    for (const [, word = ''] of text
      .replaceAll(/\berrors: \[[^\]]*\]|\[[^\]]*\] as const satisfies ErrorCode\[\]/g, '') // what a route may answer
      .matchAll(/'(\w+)'/g))
      given.add(word);
  for (const code of CODES) t.true(given.has(code), code);
});

test('each code has one place to link to, with what to do', (t) => {
  const [markdown, html] = [errorsMarkdown(), errorsHtml()];
  const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => id);
  t.is(new Set(ids).size, ids.length);
  t.is(ids.length, Object.values(SECTIONS).flatMap((codes) => Object.keys(codes)).length);
  for (const id of ids) t.true(markdown.includes(`<a id="${id}"></a>`), id);
  for (const { remedy } of Object.values(SECTIONS).flatMap((codes) => Object.values(codes)))
    t.true(markdown.includes(remedy));
});

test('each kind of alert has a section in the runbook', (t) => {
  const runbook = readFileSync(new URL('docs/operations.md', ROOT), 'utf8');
  for (const kind of Object.keys(ALERTS)) t.true(runbook.includes(`\n### ${kind} (`), kind);
});
