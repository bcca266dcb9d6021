import test from 'ava';
import { openScope, type Scope } from './scope.ts';

/** A scope that ends with the test file; to be made before its first test. */
export function fileScope(): Scope {
  const { teardown, close } = openScope();
  const tells: (() => string)[] = [];
  test.afterEach.always((t) => {
    if (t.passed) return;
    for (const text of tells.map((tell) => tell())) if (text !== '') t.log(text);
  });
  test.after.always(close);
  return { teardown, tellOnFailure: (tell) => void tells.push(tell) };
}
