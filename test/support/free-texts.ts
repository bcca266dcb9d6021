import { readFileSync } from 'node:fs';
import { z } from 'zod';

const schema = z.record(z.string(), z.unknown());
type Schema = z.output<typeof schema>;
const document = z
  .object({
    paths: z.record(
      z.string(),
      z.record(
        z.string(),
        z.object({
          operationId: z.string(),
          requestBody: z.object({ content: z.object({ 'application/json': z.object({ schema }) }) }).optional(),
        }),
      ),
    ),
    components: z.object({ schemas: z.record(z.string(), schema) }),
  })
  .parse(JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')));

/** What people are known by, and a sentence. A field that takes any of them can hold something about somebody. */
const TYPED = ['Ada Lovelace', 'ada@example.com', '+33 1 23 45 67 89', '75001 x', 'Ada moved away; call her sister.'];

/**
 * Every field of a body that takes what people are known by, as `operationId field.of.field`; of one that takes any
 * JSON object, the field itself.
 */
export function freeTextFields(): readonly string[] {
  return Object.values(document.paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap(({ operationId, requestBody }) =>
      requestBody === undefined
        ? []
        : textsIn(requestBody.content['application/json'].schema).map((path) => `${operationId} ${path.join('.')}`),
    );
}

/** The fields of a body whose value `holds` something, written as `freeTextFields` writes them. */
export function fieldsHolding(
  { method, path, body }: { readonly method: string; readonly path: string; readonly body: unknown },
  holds: (text: string) => boolean,
): readonly string[] {
  const found = Object.entries(document.paths)
    .filter(([template]) => new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path))
    .toSorted(([one], [other]) => one.split('{').length - other.split('{').length)[0]?.[1][method.toLowerCase()];
  if (found === undefined) throw new Error(`${method} ${path} is no operation`);
  return textsOf(body)
    .filter(({ text }) => holds(text))
    .map((held) => `${found.operationId} ${held.path.join('.')}`);
}

function textsIn(given: Schema): readonly (readonly string[])[] {
  const { $ref, properties, items, type, anyOf, oneOf, allOf, additionalProperties } = given;
  if (typeof $ref === 'string')
    return textsIn(schema.parse(document.components.schemas[$ref.slice($ref.lastIndexOf('/') + 1)]));
  const within = [anyOf, oneOf, allOf].flatMap((list) =>
    z
      .array(schema)
      .parse(list ?? [])
      .flatMap(textsIn),
  );
  const fields = Object.entries(z.record(z.string(), schema).parse(properties ?? {})).flatMap(([name, field]) =>
    textsIn(field).map((path) => [name, ...path]),
  );
  const more = z
    .array(schema)
    .parse([items, additionalProperties].filter((one) => typeof one === 'object'))
    .flatMap((one) => textsIn(one).map((path) => ['*', ...path]));
  const isText = type === 'string' || (Array.isArray(type) && type.includes('string'));
  const isFree = type === 'object' && additionalProperties === true;
  return [...within, ...fields, ...more, ...(isFree || (isText && takesTyped(given)) ? [[]] : [])];
}

function takesTyped({ enum: values, const: value, format, pattern }: Schema): boolean {
  if (values !== undefined || value !== undefined || format !== undefined) return false;
  return typeof pattern !== 'string' || TYPED.some((text) => new RegExp(pattern, 'u').test(text));
}

function textsOf(body: unknown): readonly { readonly path: readonly string[]; readonly text: string }[] {
  if (typeof body === 'string') return [{ path: [], text: body }];
  if (typeof body !== 'object' || body === null) return [];
  return Object.entries(body).flatMap(([name, value]: [string, unknown]) =>
    textsOf(value).map(({ path, text }) => ({ path: [Array.isArray(body) ? '*' : name, ...path], text })),
  );
}
