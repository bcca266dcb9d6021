import { readFileSync } from 'node:fs';
import { z } from 'zod';

const operation = z.object({
  responses: z.record(
    z.string(),
    z.object({
      content: z
        .record(
          z.string(),
          z.object({
            schema: z.record(z.string(), z.unknown()),
            examples: z.record(z.string(), z.unknown()).optional(),
          }),
        )
        .optional(),
    }),
  ),
});
const document = z
  .object({
    paths: z.record(z.string(), z.record(z.string(), operation)),
    components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
  })
  .parse(JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')));

const validators = new Map<string, z.ZodType>();

/**
 * Throws unless the committed OpenAPI document declares this answer: its status, its media type, its shape, and a
 * problem's code.
 */
export function assertDeclared({
  method,
  path,
  answer: { status, headers, body },
}: {
  method: string;
  path: string;
  answer: { status: number; headers: Headers; body: unknown };
}): void {
  const declared = operationOf(method.toLowerCase(), path);
  if (declared === undefined) return; // not one of the declared routes, such as /healthz
  const where = `${method} ${path} → ${status}`;
  const response = declared.responses[status];
  if (response === undefined) throw new Error(`${where} is not declared: ${JSON.stringify(body)}`);
  if (response.content === undefined) {
    if (body !== undefined) throw new Error(`${where} has a body, but declares none`);
    return;
  }
  const mediaType = headers.get('Content-Type') ?? '';
  const content = response.content[mediaType];
  if (content === undefined) throw new Error(`${where} came as ${mediaType}, which is not declared`);
  const read = validatorOf(content.schema).safeParse(body);
  if (!read.success) throw new Error(`${where} differs from its schema: ${z.prettifyError(read.error)}`);
  if (content.examples !== undefined) {
    const { code } = z.object({ code: z.string() }).parse(body);
    if (!(code in content.examples)) throw new Error(`${where} has the code ${code}, which is not declared there`);
  }
}

// A fixed path wins over one with parameters, as Express tries them.
function operationOf(method: string, path: string): z.output<typeof operation> | undefined {
  const matching = Object.entries(document.paths)
    .filter(([template]) => new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path))
    .toSorted(([a], [b]) => a.split('{').length - b.split('{').length);
  return matching[0]?.[1][method];
}

function validatorOf(schema: Record<string, unknown>): z.ZodType {
  const key = JSON.stringify(schema);
  const known = validators.get(key);
  if (known !== undefined) return known;
  const local: unknown = JSON.parse(
    JSON.stringify({ ...schema, $defs: document.components.schemas }).replaceAll('#/components/schemas/', '#/$defs/'),
  );
  const made = z.fromJSONSchema(z.record(z.string(), z.unknown()).parse(local));
  validators.set(key, made);
  return made;
}
