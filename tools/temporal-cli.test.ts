import { readFileSync } from 'node:fs';
import test from 'ava';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

test('the Temporal CLI that is downloaded is the release that go.mod builds, and each archive has its digest', (t) => {
  const source = read('temporal-cli.mjs');
  const [, built = ''] = /temporalio\/cli v(\S+)/.exec(read('temporal/go.mod')) ?? [];
  t.true(source.includes(`RELEASE = '${built}'`), built);
  const archives = [...source.matchAll(/\['(\w+)', '(\w+)'\]/g)].filter(([, name = '']) =>
    /^(linux|darwin)_/.test(name),
  );
  t.true(archives.length > 0);
  for (const [, name, digest = ''] of archives) t.regex(digest, /^[0-9a-f]{64}$/, name);
});
