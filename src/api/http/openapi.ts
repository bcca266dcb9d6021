import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import { ERRORS, type ErrorCode } from './error-catalogue.ts';
import { IDEMPOTENCY_KEY } from './idempotency.ts';
import { Problem, problemBody, problemSchema } from './problem.ts';
import { errorsOf, type Route, type RouteSpec } from './route.ts';

const idempotencyHeader = z.object({
  'Idempotency-Key': z
    .string()
    .regex(IDEMPOTENCY_KEY)
    .optional()
    .meta({ description: 'Makes a repetition of this request answer what the first one was answered' }),
});

const lastEventIdHeader = z.object({
  'Last-Event-ID': z
    .string()
    .regex(/^[0-9]{1,9}$/)
    .optional()
    .meta({ description: 'The stream goes on behind this event' }),
});

const EXAMPLE_REQUEST_ID = '7b0d8a6e-6f5c-4f2b-9a53-0c8c3d0a9e11';

/** The OpenAPI 3.1 document of the routes. */
export function openApiDocument(routes: readonly Route[]): ReturnType<typeof createDocument> {
  const paths: ZodOpenApiPathsObject = {};
  for (const { spec } of routes) {
    const path = spec.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [spec.method]: operationOf(spec) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Steadfast',
      version: '1',
      description:
        'Profiles with a deadline, copies of users in other services, and orders that complete or are undone. ' +
        'Errors are application/problem+json; branch on `code`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    tags: [...new Set(routes.map(({ spec }) => spec.tag))].map((name) => ({ name })),
    paths,
    components: {
      examples: examplesOf(routes),
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  });
}

function operationOf(spec: RouteSpec): ZodOpenApiOperationObject {
  const { params, query, body } = spec;
  return {
    operationId: spec.operationId,
    tags: [spec.tag],
    ...(spec.isDeprecated === true ? { deprecated: true } : {}),
    summary: spec.summary,
    ...(spec.scope === undefined ? {} : { security: [{ bearer: [spec.scope] }] }),
    description: [spec.description, rightsOf(spec)].filter((text) => text !== undefined).join('\n\n'),
    requestParams: {
      ...(params instanceof z.ZodObject ? { path: params } : {}),
      ...(query instanceof z.ZodObject ? { query } : {}),
      ...(spec.idempotent === true ? { header: idempotencyHeader } : {}),
      ...(spec.isStream === true ? { header: lastEventIdHeader } : {}),
    },
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: !body.safeParse(undefined).success,
            content: { 'application/json': { schema: body } },
          },
        }),
    responses: { ...answersOf(spec), ...problemsOf(errorsOf(spec)) },
  };
}

function rightsOf({ roles, scope }: RouteSpec): string {
  return [`Roles: ${roles.join(', ')}.`, ...(scope === undefined ? [] : [`Scope of a service: \`${scope}\`.`])].join(
    ' ',
  );
}

function answersOf({ statuses, answer, isStream }: RouteSpec): ZodOpenApiResponsesObject {
  const mediaType = isStream === true ? 'text/event-stream' : 'application/json';
  return Object.fromEntries(
    Object.entries(statuses).map(([status, description]) => [
      status,
      {
        description,
        ...(answer === undefined || status === '204' ? {} : { content: { [mediaType]: { schema: answer } } }),
      },
    ]),
  );
}

function problemsOf(codes: readonly ErrorCode[]): ZodOpenApiResponsesObject {
  const byStatus = Map.groupBy(codes, (code) => ERRORS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, some]) => [
      String(status),
      {
        description: some.map((code) => ERRORS[code].title).join('; '),
        content: {
          'application/problem+json': {
            schema: problemSchema,
            examples: Object.fromEntries(some.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
          },
        },
      },
    ]),
  );
}

function examplesOf(routes: readonly Route[]) {
  const codes = new Set(routes.flatMap(({ spec }) => errorsOf(spec)));
  return Object.fromEntries(
    [...codes].toSorted().map((code) => [code, { summary: ERRORS[code].title, value: exampleOf(code) }]),
  );
}

function exampleOf(code: ErrorCode) {
  const errors =
    code === 'validation_failed' ? { errors: [{ field: 'body.email', message: 'Invalid email address' }] } : {};
  return problemBody(new Problem(code, errors), EXAMPLE_REQUEST_ID);
}
