import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import pg from 'pg';
import type { World } from './world.ts';
import { grpcCodeOf } from '../../src/temporal/errors.ts';

const GRPC_NOT_FOUND = 5;

/** Where texts are found: `table.column`, or the id of a workflow. */
export async function findTraces(
  { databaseUrl, client, config }: Pick<World, 'databaseUrl' | 'client' | 'config'>,
  texts: readonly string[],
): Promise<readonly string[]> {
  const [rows, histories] = await Promise.all([
    tracesInRows(databaseUrl, texts),
    tracesInHistories(client, config.TASK_QUEUE, texts),
  ]);
  return [...rows, ...histories].toSorted();
}

/** Asks the catalogue for every column of every table that can hold a text. */
async function tracesInRows(databaseUrl: string, texts: readonly string[]): Promise<readonly string[]> {
  const superuser = new pg.Client({ connectionString: databaseUrl });
  await superuser.connect();
  try {
    const { rows: columns } = await superuser.query<{ name: string; column: string; type: string }>(`
      SELECT table_name AS name, column_name AS column, data_type AS type FROM information_schema.columns
      WHERE table_schema = 'public' AND table_name IN (SELECT relname FROM pg_class WHERE relkind IN ('r', 'p'))
        AND data_type IN ('text', 'character varying', 'character', 'json', 'jsonb', 'bytea', 'ARRAY',
          'USER-DEFINED')`);
    const found: string[] = [];
    for (const { name, column, type } of columns) {
      const text = type === 'bytea' ? `encode("${column}", 'escape')` : `"${column}"::text`;
      const { rowCount } = await superuser.query(
        `SELECT FROM "${name}" WHERE EXISTS (SELECT FROM unnest($1::text[]) AS t WHERE strpos(${text}, t) > 0) LIMIT 1`,
        [texts],
      );
      if (rowCount === 1) found.push(`${name}.${column}`);
    }
    return found;
  } finally {
    await superuser.end();
  }
}

/** Reads what Temporal keeps of every execution of a task queue, open or closed. */
async function tracesInHistories(
  client: Client,
  taskQueue: string,
  texts: readonly string[],
): Promise<readonly string[]> {
  const found = new Set<string>();
  for await (const { workflowId, runId, raw } of client.workflow.list({ query: `TaskQueue = "${taskQueue}"` })) {
    const history = await client.workflow
      .getHandle(workflowId, runId)
      .fetchHistory()
      .catch((error: unknown) => {
        // Deleted meanwhile.
        if (error instanceof WorkflowNotFoundError || grpcCodeOf(error) === GRPC_NOT_FOUND) return null;
        throw error;
      });
    const read = textsIn([raw, history]);
    if (texts.some((text) => read.some((one) => one.includes(text)))) found.add(workflowId);
  }
  return [...found];
}

/** Payloads are bytes. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('utf8')];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
