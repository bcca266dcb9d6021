/** Whether a text holds NUL, which PostgreSQL refuses in every kind of text. */
export function containsNul(text: string): boolean {
  return text.includes('\0');
}

/**
 * Whether PostgreSQL can keep a value, which came from outside, as the text that it is: without NUL, and well-formed,
 * as JSON needs it. What can't be kept would be tried for ever.
 */
export function isStorableText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed() && !containsNul(value);
}

/** Whether a text has `max` characters at most, counted as JSON Schema and PostgreSQL count them: an emoji is one. */
export function isAtMost(text: string, max: number): boolean {
  // What is longer by far is not counted: no character has more than two units.
  return text.length <= max || (text.length <= 2 * max && Array.from(text).length <= max);
}

/** The text as PostgreSQL can keep it, of `maxLength` characters at most: a blank for NUL, U+FFFD for half a pair. */
export function toStorableText(text: string, maxLength = text.length): string {
  return text.slice(0, maxLength).replaceAll('\0', ' ').toWellFormed();
}

/** Where a value is: its own key, and where what holds it is. */
interface Place {
  readonly key: string | number;
  readonly within: Place | undefined;
}

/**
 * Path of the first text inside `root`, key or value, that PostgreSQL can't keep; undefined: there is none. The work
 * grows with the number of values alone, however deep they lie.
 */
export function findUnstorableText(root: unknown): (string | number)[] | undefined {
  const open: { readonly value: unknown; readonly place: Place | undefined }[] = [{ value: root, place: undefined }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { value, place } = at;
    if (typeof value === 'string' && !isStorableText(value)) return pathTo(place);
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, inner] of Object.entries(value)) {
      if (!isStorableText(key)) return [...pathTo(place), '(a key)'];
      open.push({ value: inner, place: { key: Array.isArray(value) ? Number(key) : key, within: place } });
    }
  }
  return undefined;
}

function pathTo(place: Place | undefined): (string | number)[] {
  const path: (string | number)[] = [];
  for (let at = place; at !== undefined; at = at.within) path.push(at.key);
  return path.toReversed();
}
