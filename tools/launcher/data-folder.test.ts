import { mkdtempSync, mkdirSync, rmSync, statSync, writeFileSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { closeDataFolder } from './data-folder.ts';

test('nobody but its owner reads the data folder, its logs and the database of the dev server', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'steadfast-data-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const modeOf = (path: string): string => (statSync(join(folder, path)).mode & 0o777).toString(8);
  closeDataFolder(join(folder, 'new'));
  t.is(modeOf('new'), '700');

  mkdirSync(join(folder, 'old/logs'), { recursive: true });
  const files = ['old/temporal.db', 'old/temporal.db-wal', 'old/logs/api.log'];
  for (const path of files) writeFileSync(join(folder, path), 'x', { mode: 0o644 });
  chmodSync(join(folder, 'old'), 0o755);
  closeDataFolder(join(folder, 'old'));
  t.deepEqual(['old', ...files].map(modeOf), ['700', '600', '600', '600']);
});
