import fc from 'fast-check';
import { z } from 'zod';

/** What `if` and `then` say of an object: members that it has, what a list contains, and of what type a member is. */
const condition = z.object({
  required: z.array(z.string()).default([]),
  properties: z
    .record(
      z.string(),
      z.object({ contains: z.object({ const: z.unknown() }).optional(), type: z.string().optional() }),
    )
    .default({}),
});
type Condition = z.output<typeof condition>;

/** The part of JSON Schema that the OpenAPI document uses. */
export const schemaNode = z.looseObject({
  $ref: z.string().optional(),
  type: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  if: condition.optional(),
  // oxlint-disable-next-line unicorn/no-thenable -- the name is JSON Schema's
  then: condition.optional(),
  items: z.unknown().optional(),
  minItems: z.number().optional(),
  maxItems: z.number().optional(),
  uniqueItems: z.boolean().optional(),
  /** Ours: the member by which the items differ, which JSON Schema can't say. */
  'x-unique-by': z.string().optional(),
  minProperties: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  pattern: z.string().optional(),
  not: z.object({ pattern: z.string() }).optional(),
  format: z.string().optional(),
  minimum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  maximum: z.number().optional(),
});
type SchemaNode = z.output<typeof schemaNode>;
/** The document's named schemas. */
export type Components = Readonly<Record<string, unknown>>;

const LONGEST_DRAWN = 40;

/** Values that a schema allows. */
export function valuesOf(schema: unknown, components: Components): fc.Arbitrary<unknown> {
  const node = schemaNode.parse(schema);
  if (node.$ref !== undefined) return valuesOf(components[node.$ref.split('/').at(-1) ?? ''], components);
  if (node.const !== undefined) return fc.constant(node.const);
  if (node.enum !== undefined) return fc.constantFrom(...node.enum);
  if (node.anyOf !== undefined) return fc.oneof(...node.anyOf.map((option) => valuesOf(option, components)));
  switch (node.type) {
    case 'string':
      return stringsOf(node);
    case 'integer':
      return fc.integer({
        min: node.minimum ?? (node.exclusiveMinimum === undefined ? -1_000 : node.exclusiveMinimum + 1),
        max: Math.min(node.maximum ?? 1_000, 2 ** 31 - 1),
      });
    case 'number':
      return fc.double({
        min: node.minimum ?? (node.exclusiveMinimum ?? 0) + 0.000_1,
        max: node.maximum ?? 1e9,
        noNaN: true,
      });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return arraysOf(node, components);
    case 'object':
      return objectsOf(node, components);
    default:
      return fc.jsonValue();
  }
}

function stringsOf({ pattern, format, not, minLength = 0, maxLength = 1_000 }: SchemaNode): fc.Arbitrary<string> {
  if (format === 'uuid') return fc.uuid();
  const fits = (text: string): boolean => {
    const { length } = Array.from(text); // JSON Schema counts characters, not their units
    return length >= minLength && length <= maxLength && (not === undefined || !new RegExp(not.pattern).test(text));
  };
  const matches = (text: string): boolean => fits(text) && new RegExp(pattern ?? '').test(text);
  // A pattern that forbids some characters lets through almost any text; others have to be built from the pattern.
  if (pattern !== undefined && !pattern.startsWith('^[^'))
    return fc.stringMatching(new RegExp(pattern), { size: '-1' }).filter(fits);
  const texts = { minLength, maxLength: Math.min(maxLength, LONGEST_DRAWN), unit: 'binary' } as const;
  return fc.oneof(
    { weight: 9, arbitrary: fc.string(texts).filter(matches) },
    { weight: 1, arbitrary: fc.constant('🦄'.repeat(maxLength)) },
  );
}

function arraysOf(node: SchemaNode, components: Components): fc.Arbitrary<unknown[]> {
  const key = node['x-unique-by'];
  const identityOf = (item: unknown): unknown =>
    key === undefined ? JSON.stringify(item) : z.looseObject({}).parse(item)[key];
  const items = valuesOf(node.items, components);
  const lengths = { minLength: node.minItems ?? 0, maxLength: Math.min(node.maxItems ?? 5, 5) };
  return node.uniqueItems === true
    ? fc.uniqueArray(items, { ...lengths, selector: identityOf })
    : fc.oneof(
        { weight: 4, arbitrary: fc.array(items, lengths) },
        { weight: 1, arbitrary: items.map((item) => Array.from({ length: lengths.maxLength }, () => item)) },
      );
}

function objectsOf(
  { properties = {}, required = [], minProperties = 0, if: when, then }: SchemaNode,
  components: Components,
): fc.Arbitrary<unknown> {
  const isConsistent = (drawn: object): boolean =>
    when === undefined || then === undefined || !holds(when, drawn) || holds(then, drawn);
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, valuesOf(schema, components)]),
  );
  const isFull = (drawn: object): boolean => Object.keys(drawn).length >= minProperties;
  const drawn = fc.record(fields, { requiredKeys: required }).filter(isFull).filter(isConsistent);
  const least = fc.record(Object.fromEntries(required.map((name) => [name, fields[name] ?? fc.jsonValue()])));
  return minProperties > required.length
    ? drawn
    : fc.oneof({ weight: 9, arbitrary: drawn }, { weight: 1, arbitrary: least });
}

function holds({ required, properties }: Condition, drawn: object): boolean {
  const members = new Map<string, unknown>(Object.entries(drawn));
  return (
    required.every((name) => members.has(name)) &&
    Object.entries(properties).every(([name, { contains, type }]) => {
      if (!members.has(name)) return true;
      const value = members.get(name);
      const isIn = contains === undefined || (Array.isArray(value) && value.includes(contains.const));
      return isIn && (type === undefined || typeof value === type);
    })
  );
}

/** Objects that a schema forbids, each for one reason: a field too many, too few, or of no allowed type. */
export function wrongObjectsOf(schema: unknown, components: Components): fc.Arbitrary<unknown> {
  const node = schemaNode.parse(schema);
  if (node.$ref !== undefined) return wrongObjectsOf(components[node.$ref.split('/').at(-1) ?? ''], components);
  const { required = [] } = node;
  const broken: fc.Arbitrary<unknown>[] = [
    fc.constantFrom<unknown>(null, 7, 'text', [], [[]]),
    fc
      .record({
        value: objectsOf(node, components),
        name: fc.constantFrom('unknownField', 'constructor', 'role', 'tenantId'),
      })
      .map(({ value, name }) => ({ ...z.looseObject({}).parse(value), [name]: 1 })),
  ];
  for (const name of required) {
    broken.push(
      objectsOf(node, components).map((value) => {
        const { [name]: _, ...rest } = z.looseObject({}).parse(value);
        return rest;
      }),
    );
    broken.push(
      fc
        .record({ value: objectsOf(node, components), wrong: fc.constantFrom<unknown>(null, [], {}, true, '\0', '') })
        .map(({ value, wrong }) => ({ ...z.looseObject({}).parse(value), [name]: wrong })),
    );
  }
  return fc.oneof(...broken);
}

/** Texts that servers stumble over. */
export const HOSTILE_TEXTS = [
  '',
  ' ',
  '\0',
  '\ud800',
  "' OR 1=1 --",
  '%',
  '_',
  '\\',
  '../../etc',
  '{{7*7}}',
  '<script>',
  '🦄'.repeat(50),
  'x'.repeat(5_000),
  '-1',
  '1e309',
  'null',
  '__proto__',
] as const;
