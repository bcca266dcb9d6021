import { readdir, readFile } from 'node:fs/promises';
import test from 'ava';

const root = new URL('../', import.meta.url);
const names = (
  await Promise.all(
    ['workflows', 'domain'].map(async (folder) =>
      (await readdir(new URL(folder, root), { recursive: true })).map((name) => `${folder}/${name}`),
    ),
  )
).flat();
const modules = names.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));

/**
 * A variable of a module that can change: declared with `let` or `var`, or a collection without `readonly` in its type.
 */
const MUTABLE = String.raw`(?:new (?:Weak)?(?:Map|Set|Array)\b|\[\]|\{\})`;
const VARIABLE = new RegExp(
  String.raw`^(?:export )?(?:let |var |const \w+(?:: (?!readonly|Readonly).*)? = ${MUTABLE}).*$`,
  'gm',
);

test('modules that workflows share have no variable that one workflow could leave to another', async (t) => {
  for (const name of modules) {
    const found = (await readFile(new URL(name, root), 'utf8')).match(VARIABLE) ?? [];
    t.deepEqual(
      [...found],
      [],
      `${name}: workflows run in one context (shared-modules.ts); keep this in the workflow function`,
    );
  }
  t.true(modules.length > 10);
});

test('the rule finds what it forbids', (t) => {
  for (const line of [
    'let seen = 0;',
    'export let seen: number;',
    'const seen = new Map();',
    'const seen: string[] = [];',
    'export const seen = {};',
  ]) {
    t.is(line.match(VARIABLE)?.length, 1, line);
  }
  for (const line of [
    'const known: ReadonlySet<string> = new Set();',
    '  let state = before;',
    'const all = [1, 2] as const;',
  ]) {
    t.is(line.match(VARIABLE), null, line);
  }
});
