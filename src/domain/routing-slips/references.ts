/** A JSON object, of which only the text of its keys and values counts: `__proto__` is a key like any other. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** By this key an argument refers to a variable: `{ "$variable": "taxNumber" }`. */
export const REFERENCE = '$variable';

/** Where something is within the arguments of a leg. */
export type ArgumentPath = readonly (string | number)[];

/** A reference to a variable, and where it stands. */
export interface Reference {
  readonly path: ArgumentPath;
  readonly variable: string;
}

/** The references within arguments. */
export function referencesIn(value: unknown, path: ArgumentPath = []): readonly Reference[] {
  const variable = referenceOf(value);
  if (variable !== null) return [{ path, variable }];
  return entriesOf(value).flatMap(([key, inner]) => referencesIn(inner, [...path, key]));
}

/** Where an object has the key of a reference and is none: it has other keys besides, or names no text. */
export function brokenReferencesIn(value: unknown, path: ArgumentPath = []): readonly ArgumentPath[] {
  if (referenceOf(value) !== null) return [];
  const isBroken = isObject(value) && Object.hasOwn(value, REFERENCE);
  return [
    ...(isBroken ? [path] : []),
    ...entriesOf(value).flatMap(([key, inner]) => brokenReferencesIn(inner, [...path, key])),
  ];
}

/** The arguments with each reference replaced by its variable; those that the variables do not have are left out. */
export function resolve(value: unknown, variables: JsonObject): unknown {
  const variable = referenceOf(value);
  if (variable !== null) return Object.hasOwn(variables, variable) ? variables[variable] : undefined;
  if (Array.isArray(value)) return value.map((inner) => resolve(inner, variables));
  if (!isObject(value)) return value;
  // Object.fromEntries defines what an assignment to `__proto__` would not.
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, resolve(inner, variables)] as const)
      .filter(([, inner]) => inner !== undefined),
  );
}

/** A place as people write it: `itinerary[2].arguments.sku`. */
export function placeOf(path: ArgumentPath, within = ''): string {
  return path.reduce<string>(
    (place, key) => (typeof key === 'number' ? `${place}[${key}]` : place === '' ? key : `${place}.${key}`),
    within,
  );
}

/** How deep lists and objects lie in each other; 0: it is neither. Counted no further than `most`, and one beyond. */
export function depthOf(value: unknown, most: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (most === 0) return 1;
  return 1 + Math.max(0, ...Object.values(value).map((inner) => depthOf(inner, most - 1)));
}

function referenceOf(value: unknown): string | null {
  if (!isObject(value) || Object.keys(value).length !== 1) return null;
  const variable = Object.hasOwn(value, REFERENCE) ? value[REFERENCE] : undefined;
  return typeof variable === 'string' ? variable : null;
}

function entriesOf(value: unknown): readonly (readonly [string | number, unknown])[] {
  if (Array.isArray(value)) return value.map((inner, index) => [index, inner] as const);
  return isObject(value) ? Object.entries(value) : [];
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
