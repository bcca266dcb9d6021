import fc from 'fast-check';
import { z } from 'zod';

/** The part of JSON Schema that the OpenAPI document uses. */
export const schemaNode = z.looseObject({
  $ref: z.string().optional(),
  type: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  items: z.unknown().optional(),
  minItems: z.number().optional(),
  maxItems: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  pattern: z.string().optional(),
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
      return fc.integer({ min: node.minimum ?? -1_000, max: Math.min(node.maximum ?? 1_000, 2 ** 31 - 1) });
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
      return fc.array(valuesOf(node.items, components), {
        minLength: node.minItems ?? 0,
        maxLength: Math.min(node.maxItems ?? 5, 5),
      });
    case 'object':
      return objectsOf(node, components);
    default:
      return fc.jsonValue();
  }
}

function stringsOf({ pattern, format, minLength = 0, maxLength = 1_000 }: SchemaNode): fc.Arbitrary<string> {
  const fits = (text: string): boolean => text.length >= minLength && text.length <= maxLength;
  if (format === 'uuid') return fc.uuid();
  if (format === 'email') return fc.emailAddress().filter(fits);
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern), { size: '-1' }).filter(fits);
  return fc.string({ minLength, maxLength: Math.min(maxLength, LONGEST_DRAWN), unit: 'binary' });
}

function objectsOf({ properties = {}, required = [] }: SchemaNode, components: Components): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, valuesOf(schema, components)]),
  );
  return fc.record(fields, { requiredKeys: required });
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
