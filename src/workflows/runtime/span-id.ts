const OFFSET = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;

/**
 * A span id of 16 hexadecimal digits made from text by FNV-1a (64 bits), so that a replay, or another worker, finds the
 * same id again without a random number, which would be missing from those of the workflow.
 */
export function spanIdOf(text: string): string {
  let hash = OFFSET;
  for (const character of text) hash = BigInt.asUintN(64, (hash ^ BigInt(character.codePointAt(0)!)) * PRIME);
  return (hash === 0n ? 1n : hash).toString(16).padStart(16, '0');
}
