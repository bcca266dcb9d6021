import test from 'ava';
import { startNode } from './processes.ts';
import { openScope, tellOnFailure, type Scope } from './scope.ts';
import { until, untilIs } from './until.ts';

/** A scope that a failed test would have, and what it is told. */
function failedScope(): { scope: Scope & { close: () => Promise<void> }; told: string[] } {
  const told: string[] = [];
  return { told, scope: { ...openScope(), passed: false, log: (text) => void told.push(text) } };
}

test('a wait that fails names what it waited for and what it saw last', async (t) => {
  const patience = { what: 'the order', timeoutMs: 50 };
  await t.throwsAsync(
    untilIs(async () => 'parked', 'completed', patience),
    {
      message: 'the order did not come true within 50 ms; last seen: parked',
    },
  );
  await t.throwsAsync(
    until(() => false, { ...patience, seen: () => ({ rows: 2 }) }),
    { message: /\{ rows: 2 \}$/ },
  );
});

test('a scope ends what it has, last first', async (t) => {
  const scope = openScope();
  const ended: string[] = [];
  for (const name of ['database', 'worker']) scope.teardown(() => void ended.push(name));
  await scope.close();
  t.deepEqual(ended, ['worker', 'database']);
});

test('what helps to understand a failure is told with a failure alone', async (t) => {
  const failed = failedScope();
  for (const scope of [failed.scope, { ...failed.scope, passed: true }]) tellOnFailure(scope, () => 'a warning');
  await failed.scope.close();
  t.deepEqual(failed.told, ['a warning']);
});

test('a process that ended by itself tells its exit code and output, one that was stopped nothing', async (t) => {
  const { scope, told } = failedScope();
  const fails = ['-e', 'console.log("no table"); process.exit(3)'];
  const child = startNode(scope, { args: fails, env: {} });
  await t.throwsAsync(child.printed(/ready/), { message: /did not come: .* ended with 3; it printed:\nno table/ });
  await startNode(scope, { args: ['-e', 'setInterval(() => {}, 1e6)'], env: {} }).stop();
  await scope.close();
  t.is(told.length, 1);
  t.regex(told[0] ?? '', /ended with 3; it printed:\nno table/);
});
