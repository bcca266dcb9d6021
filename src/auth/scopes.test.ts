import { readFile } from 'node:fs/promises';
import test from 'ava';
import { SCOPES } from './scopes.ts';

test('the runbook says of every scope what it is for', async (t) => {
  const runbook = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const [, section = ''] = runbook.split('| scope | a service may |');
  const rows = [...(section.split('\n\n')[0] ?? '').matchAll(/^\| `(.+)` \| (.+) \|$/gm)];
  t.deepEqual(
    rows.map(([, scope, purpose]) => [scope, purpose]),
    Object.entries(SCOPES),
  );
});
