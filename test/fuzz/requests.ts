import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { z } from 'zod';
import { heavyBodiesOf } from './heavy-bodies.ts';
import { HOSTILE_TEXTS, schemaNode, valuesOf, wrongObjectsOf, type Components } from './schema-values.ts';

const parameter = z.object({ in: z.enum(['path', 'query', 'header']), name: z.string(), schema: z.unknown() });
const operation = z.object({
  operationId: z.string(),
  parameters: z.array(parameter).default([]),
  requestBody: z.object({ content: z.object({ 'application/json': z.object({ schema: z.unknown() }) }) }).optional(),
});
const openApi = z.object({
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});

/** One request as it was drawn; what depends on earlier answers is resolved when it is sent. */
export interface PlannedRequest {
  readonly operationId: string;
  readonly method: string;
  readonly template: string;
  /** By name; `pick` chooses one of the ids that answers have shown, instead of `value`. */
  readonly path: Readonly<Record<string, { readonly value: string; readonly pick: number | null }>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: { readonly json: unknown } | { readonly raw: string } | null;
  /** Whether the document forbids the body; then nothing but a refusal may follow. */
  readonly isBodyWrong: boolean;
  /** Whether the document allows every value; then none of them may be refused as it is. */
  readonly isAllowed: boolean;
  readonly role: 'user' | 'service' | 'operator' | 'admin' | null;
  readonly person: number;
}

/** How often an operation is drawn, if not once: what others need comes more often. */
const WEIGHTS: Readonly<Record<string, number>> = { registerUser: 5, placeOrder: 5 };

/** Draws `count` requests to every operation of the OpenAPI document: allowed ones, forbidden ones and hostile ones. */
export function planRequests({
  seed,
  count,
  persons,
}: {
  seed: number;
  count: number;
  persons: number;
}): PlannedRequest[] {
  const {
    paths,
    components: { schemas },
  } = openApi.parse(JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')));
  const operations = Object.entries(paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, described]) =>
      requestsOf({ template, method, described, components: schemas, persons }),
    ),
  );
  const ids = Object.values(paths)
    .flatMap((methods) => Object.values(methods))
    .map(({ operationId }) => operationId);
  const weightOf = (operationId: string | undefined): number => WEIGHTS[operationId ?? ''] ?? 1;
  return fc.sample(fc.oneof(...operations.map((arbitrary, index) => ({ arbitrary, weight: weightOf(ids[index]) }))), {
    seed,
    numRuns: count,
  });
}

function requestsOf({
  template,
  method,
  described,
  components,
  persons,
}: {
  template: string;
  method: string;
  described: z.output<typeof operation>;
  components: Components;
  persons: number;
}): fc.Arbitrary<PlannedRequest> {
  const { operationId, parameters, requestBody } = described;
  const of = (place: 'path' | 'query' | 'header') => parameters.filter((each) => each.in === place);
  const allowedText = (schema: unknown): fc.Arbitrary<Text> =>
    valuesOf(schema, components).map((value) => ({ value: String(value), isAllowed: true }));
  const hostileText = fc.constantFrom(...HOSTILE_TEXTS).map((value) => ({ value, isAllowed: false }));
  const text = (schema: unknown): fc.Arbitrary<Text> =>
    fc.oneof({ weight: 5, arbitrary: allowedText(schema) }, { weight: 1, arbitrary: hostileText });
  const schema = requestBody?.content['application/json'].schema;
  return fc
    .record({
      operationId: fc.constant(operationId),
      method: fc.constant(method.toUpperCase()),
      template: fc.constant(template),
      path: fc.record(
        Object.fromEntries(
          of('path').map(({ name, schema: allowed }) => [
            name,
            fc.record({
              text: text(allowed),
              pick: isId(allowed) ? fc.option(fc.nat(1_000), { freq: 5 }) : fc.constant(null),
            }),
          ]),
        ),
      ),
      query: fc.record(Object.fromEntries(of('query').map(({ name, schema: allowed }) => [name, text(allowed)])), {
        requiredKeys: [],
      }),
      // The client itself refuses to send what is hostile in a header.
      headers: fc.record(
        Object.fromEntries(of('header').map(({ name, schema: allowed }) => [name, allowedText(allowed)])),
        { requiredKeys: [] },
      ),
      ...bodiesOf(schema, components),
      role: fc.oneof(
        { weight: 4, arbitrary: fc.constant('admin' as const) },
        { weight: 4, arbitrary: fc.constant('user' as const) },
        { weight: 1, arbitrary: fc.constantFrom('service', 'operator', null) },
      ),
      person: fc.nat(persons - 1),
    })
    .map(({ drawn, path, query, headers, ...request }) => ({
      ...request,
      ...drawn,
      path: Object.fromEntries(
        Object.entries(path).map(
          ([
            name,
            {
              text: { value },
              pick,
            },
          ]) => [name, { value, pick }],
        ),
      ),
      query: valuesIn(query),
      headers: valuesIn(headers),
      isAllowed:
        !drawn.isBodyWrong &&
        Object.values(path).every(({ text: { isAllowed } }) => isAllowed) &&
        Object.values(query).every((given) => given?.isAllowed !== false),
    }));
}

const isId = (schema: unknown): boolean => schemaNode.parse(schema).format === 'uuid';

/** Of a parameter: one that its schema allows, or one that servers stumble over. */
interface Text {
  readonly value: string;
  readonly isAllowed: boolean;
}

function valuesIn(texts: Readonly<Record<string, Text | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, text?.value]));
}

function bodiesOf(
  schema: unknown,
  components: Components,
): { drawn: fc.Arbitrary<Pick<PlannedRequest, 'body' | 'isBodyWrong'>> } {
  if (schema === undefined) return { drawn: fc.constant({ body: null, isBodyWrong: false }) };
  const heavy = heavyBodiesOf(schema, components);
  return {
    drawn: fc.oneof(
      { weight: 6, arbitrary: valuesOf(schema, components).map((json) => ({ body: { json }, isBodyWrong: false })) },
      {
        weight: 2,
        arbitrary: wrongObjectsOf(schema, components).map((json) => ({ body: { json }, isBodyWrong: true })),
      },
      {
        weight: 1,
        arbitrary: fc
          .constantFrom('{', '[1,', '"', '\0', 'x'.repeat(200_000))
          .map((raw) => ({ body: { raw }, isBodyWrong: true })),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom(...heavy).map((text) => ({ body: { raw: text() }, isBodyWrong: true })),
      },
    ),
  };
}
