/**
 * Ends a `switch` over a union: the compiler refuses it when a case is missing, and it throws should one slip through.
 */
export function assertNever(value: never): never {
  throw new Error(`unexpected case: ${JSON.stringify(value)}`);
}
