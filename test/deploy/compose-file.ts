import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

/** The project's folder. */
export const ROOT = new URL('../..', import.meta.url).pathname;

const dependency = z.object({ condition: z.enum(['service_healthy', 'service_completed_successfully']) });

// Narrower than the specification: the one way of writing each thing that our file uses.
const service = z.object({
  image: z.string(),
  build: z.literal('.').optional(),
  user: z.string().optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.union([z.string(), z.number().transform(String)])).default({}),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  networks: z.array(z.string()),
  depends_on: z.record(z.string(), dependency).default({}),
  healthcheck: z
    .union([z.object({ disable: z.literal(true) }), z.object({ test: z.tuple([z.literal('CMD')], z.string()) })])
    .optional(),
  restart: z.string(),
  read_only: z.boolean().default(false),
  security_opt: z.array(z.string()),
  cap_drop: z.array(z.string()),
  deploy: z.object({
    replicas: z.int().default(1),
    resources: z.object({ limits: z.object({ cpus: z.string(), memory: z.string() }) }),
  }),
});

const network = z.strictObject({
  internal: z.literal(true),
  ipam: z.strictObject({ config: z.tuple([z.strictObject({ subnet: z.string() })]) }).optional(),
});

const composeFile = z.object({
  services: z.record(z.string(), service),
  networks: z.record(z.string(), network.nullable()),
  volumes: z.record(z.string(), z.null()),
});

/** One service of docker-compose.yml. */
export type ComposeService = z.output<typeof service>;

/** docker-compose.yml as it is written, before variables are put in. */
export function rawComposeFile(): unknown {
  return parse(readFileSync(`${ROOT}/docker-compose.yml`, 'utf8'), { merge: true });
}

/**
 * docker-compose.yml with these variables in the place of `${NAME…}`; without a value or default it throws, as Compose
 * does.
 */
export function readComposeFile(variables: Readonly<Record<string, string>>): z.output<typeof composeFile> {
  return composeFile.parse(interpolate(rawComposeFile(), variables));
}

function interpolate(value: unknown, variables: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'string') return substitute(value, variables);
  if (Array.isArray(value)) return value.map((item) => interpolate(item, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, interpolate(item, variables)]));
}

function substitute(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{(\w+)(?::(-|\?)([^}]*))?\}/g, (_all, name: string, kind: string | undefined, rest = '') => {
    const given = variables[name];
    if (given) return given;
    if (kind === '-') return rest;
    throw new Error(`${name} is not set: ${rest}`);
  });
}
