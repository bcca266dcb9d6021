import { schemaNode, type Components } from './schema-values.ts';

/** A little less than BODY_LIMIT_KB's default. */
const BYTES = 100_000;
const DEEPEST_FIELD = 6;

const repeated = (text: string): string => text.repeat(Math.floor(BYTES / text.length));
const listOf = (item: string): string => `[${repeated(`${item},`)}${item}]`;
const nested = (open: string, close: string, depth: number): string => `${open.repeat(depth)}1${close.repeat(depth)}`;
const manyKeys = (): string => `{${Array.from({ length: 9_000 }, (_, index) => `"k${index}":1`).join()}}`;

/** Made when they are asked for: a list of them all would be large. */
const HEAVY_BODIES: readonly (() => string)[] = [
  manyKeys,
  () => listOf('[]'),
  () => nested('[', ']', 50_000),
  () => nested('{"a":', '}', 16_000),
  () => `{"a":${nested('[', ']', 50_000)}}`,
  () => `{"a":${listOf(nested('{"a":', '}', 28))}}`,
  () => `{"${repeated('k')}":1}`,
];

/** What regular expressions have been slow with, and lists and objects where something else is wanted. */
const HEAVY_VALUES: readonly (() => string)[] = [
  ...['a', 'a@', '.', '1-', '\\u0000'].map((unit) => () => `"${repeated(unit)}"`),
  () => listOf('"a"'),
  () => listOf('{}'),
  manyKeys,
  () => `{"a":${nested('[', ']', 45_000)}}`,
];

/**
 * Bodies within the limits that cost as much as they can, and that no route allows: some for any route, and some with a
 * heavy value in the place of a field of the body's schema.
 */
export function heavyBodiesOf(schema: unknown, components: Components): (() => string)[] {
  const fields = schema === undefined ? [] : placesIn(schema, components);
  return [
    ...HEAVY_BODIES,
    ...fields.flatMap(([before, after]) => HEAVY_VALUES.map((value) => () => `${before}${value()}${after}`)),
  ];
}

/** What stands before and behind the value of each field. */
function placesIn(schema: unknown, components: Components, depth = 0): [string, string][] {
  if (depth > DEEPEST_FIELD) return [];
  const { $ref, properties = {}, items, anyOf = [] } = schemaNode.parse(schema);
  if ($ref !== undefined) return placesIn(components[$ref.split('/').at(-1) ?? ''], components, depth + 1);
  const within = (before: string, inner: unknown, after: string): [string, string][] =>
    placesIn(inner, components, depth + 1).map(([head, tail]) => [`${before}${head}`, `${tail}${after}`]);
  return [
    ...Object.entries(properties).flatMap(([name, inner]): [string, string][] => [
      [`{"${name}":`, '}'],
      ...within(`{"${name}":`, inner, '}'),
    ]),
    ...(items === undefined ? [] : within('[', items, ']')),
    ...anyOf.flatMap((inner) => placesIn(inner, components, depth + 1)),
  ];
}
