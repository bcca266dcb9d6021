import { setImmediate as nextTick } from 'node:timers/promises';
import test from 'ava';
import { createTurns } from './turns.ts';

test('createTurns runs so many tasks of a key at a time, in their order, and other keys beside them', async (t) => {
  const turns = createTurns(2);
  const begun: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const task = (key: string, name: string) =>
    turns.run(key, () => {
      begun.push(name);
      const end = Promise.withResolvers<void>();
      ends.set(name, end);
      return end.promise;
    });
  const all = [task('a', 'a1'), task('a', 'a2'), task('a', 'a3'), task('a', 'a4'), task('b', 'b1')];
  await nextTick();
  t.deepEqual(begun, ['a1', 'a2', 'b1']);
  ends.get('a2')?.resolve();
  await nextTick();
  t.deepEqual(begun, ['a1', 'a2', 'b1', 'a3']);
  ends.get('a1')?.resolve();
  await nextTick();
  for (const end of ends.values()) end.resolve();
  await Promise.all(all);
  t.deepEqual(begun, ['a1', 'a2', 'b1', 'a3', 'a4']);
});

test('createTurns forgets a key with its last task, also with one that fails', async (t) => {
  const turns = createTurns(1);
  const failing = turns.run('a', () => Promise.reject(new Error('refused')));
  const following = turns.run('a', async () => 'done');
  t.is(turns.size, 1);
  await t.throwsAsync(failing, { message: 'refused' });
  t.is(await following, 'done');
  t.is(turns.size, 0);
});
