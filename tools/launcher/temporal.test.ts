import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { hasFairQueues } from './temporal.ts';

test('a data folder has fair queues from its beginning or never', (t) => {
  const folder = () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'steadfast-data-'));
    t.teardown(() => rmSync(dataDir, { recursive: true }));
    return dataDir;
  };
  const [fresh, used] = [folder(), folder()];
  writeFileSync(join(used, 'temporal.db'), '');
  t.false(hasFairQueues(used));
  t.true(hasFairQueues(fresh));
  writeFileSync(join(fresh, 'temporal.db'), '');
  t.true(hasFairQueues(fresh), 'at the next start');
});
