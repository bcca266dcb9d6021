/** What things last for: a test (its `t`), a file (`fileScope`), or until it is closed (`openScope`). */
export interface Scope {
  /** Ends something with the scope, last first. */
  readonly teardown: (end: () => void | Promise<void>) => void;
  /** Of a test: whether it holds so far. */
  readonly passed?: boolean;
  /** Of a test: prints with its outcome. */
  readonly log?: (text: string) => void;
  /** Of a file: tells it of what to print with each test that fails. */
  readonly tellOnFailure?: (tell: () => string) => void;
}

/** A scope that ends when its owner closes it. */
export function openScope(): Scope & { readonly close: () => Promise<void> } {
  const ends: (() => void | Promise<void>)[] = [];
  return {
    teardown: (end) => void ends.push(end),
    close: async () => {
      for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
    },
  };
}

/** Prints what helps to understand a failure with the test that failed, unless there is nothing to say. */
export function tellOnFailure(scope: Scope, tell: () => string): void {
  if (scope.tellOnFailure !== undefined) return scope.tellOnFailure(tell);
  scope.teardown(() => {
    const text = scope.passed === false ? tell() : '';
    if (text !== '') scope.log?.(text);
  });
}
