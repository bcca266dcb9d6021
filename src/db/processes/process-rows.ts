import type pg from 'pg';
import { z } from 'zod';
import type { ProcessEvent } from '../../domain/process/events.ts';
import type { Cause, ProcessState } from '../../domain/process/state.ts';
import { slipMessages } from '../../events/slip-messages.ts';
import { enqueueMessages } from '../../messaging/outbox/message-outbox.ts';
import { isoTime, isoTimeOrNull } from '../../domain/shared/time.ts';
import { parkAbandoned } from './park-abandoned.ts';

/** The row of a process, locked by the transaction that read it. */
export interface LockedProcess {
  readonly type: string;
  readonly workflowId: string;
  readonly state: ProcessState;
  readonly revision: number;
  readonly writer: string | null;
  /** Failed attempts of the step under way. */
  readonly attempts: number;
  /** When the next attempt is, in milliseconds since the epoch; null: none is waiting. */
  readonly retryAt: number | null;
}

/** The state of one process after `events`, to be written as its row. */
export interface ProcessWrite {
  readonly processId: string;
  readonly type: string;
  readonly state: ProcessState;
  readonly revision: number;
  /** Run id of the workflow that writes. */
  readonly writer: string;
  readonly events: readonly ProcessEvent[];
}

/** A new process, to be inserted with the start of its workflow. */
export interface NewProcess {
  readonly processId: string;
  readonly type: string;
  readonly workflowId: string;
  /** Whose list it is in, besides that of the tenant. */
  readonly listedFor?: string | undefined;
  readonly state: ProcessState;
  readonly events: readonly ProcessEvent[];
}

const COLUMNS = `process_type AS type, workflow_id AS "workflowId", status::text,
  current_step AS "currentStep", data, history, cause, cancelled, early, due_at AS "dueAt",
  sequence, revision, writer,
  attempts, retry_at AS "retryAt", started_at AS "startedAt", updated_at AS "updatedAt"`;

type Row = Omit<ProcessState, 'dueAt' | 'startedAt' | 'updatedAt'> &
  Pick<LockedProcess, 'type' | 'workflowId' | 'revision' | 'writer' | 'attempts'> & {
    readonly processId: string;
    readonly retryAt: Date | null;
    readonly dueAt: Date | null;
    readonly startedAt: Date;
    readonly updatedAt: Date;
  };

/**
 * Locks the rows of processes, in the order of their ids, and reads them; one that is not there is missing from the
 * answer, and so is one of another type than the one asked for.
 */
export async function lockProcesses(
  client: pg.ClientBase,
  { tenantId, processIds, type = null }: { tenantId: string; processIds: readonly string[]; type?: string | null },
): Promise<Map<string, LockedProcess>> {
  const { rows } = await client.query<Row>({
    name: 'lock-processes',
    text: `SELECT process_id::text AS "processId", ${COLUMNS} FROM process_states
      WHERE tenant_id = $1 AND process_id = ANY($2::uuid[]) AND process_type = coalesce($3, process_type)
      ORDER BY process_id FOR UPDATE`,
    values: [tenantId, processIds, type],
  });
  return new Map(rows.map((row) => [row.processId, lockedOf(row)]));
}

/**
 * Takes the row over for a new run: raises the revision, so that writes which an earlier run still has under way are
 * refused.
 */
export async function claimProcess(
  client: pg.ClientBase,
  { tenantId, processId, writer }: { tenantId: string; processId: string; writer: string },
): Promise<LockedProcess | null> {
  const {
    rows: [row],
  } = await client.query<Row>(
    `UPDATE process_states SET revision = revision + 1, writer = $3 WHERE tenant_id = $1 AND process_id = $2
     RETURNING process_id::text AS "processId", ${COLUMNS}`,
    [tenantId, processId, writer],
  );
  return row === undefined ? null : lockedOf(row);
}

/**
 * Writes the state of processes after a step and appends their events; one statement, however many processes. The list
 * of ids keeps it to their rows: of the given set alone the planner knows too little not to read the tenant's. One that
 * is abandoned gets its dead letter. What happened to one whose definition says `isTold` goes on the bus, for which the
 * transaction has begun with `lockStreams` on it.
 */
export async function writeProcesses(
  client: pg.ClientBase,
  { tenantId, writes }: { tenantId: string; writes: readonly ProcessWrite[] },
): Promise<void> {
  await client.query({
    name: 'write-processes',
    text: `
      WITH given AS (
        SELECT * FROM jsonb_to_recordset($2::jsonb) AS g(
          "processId" uuid, status text, "currentStep" text, data jsonb, history jsonb, cause jsonb, cancelled jsonb,
            early jsonb, "dueAt" timestamptz,
          sequence int, revision int, writer text, "updatedAt" timestamptz, events jsonb)
      ), written AS (
        UPDATE process_states AS p SET
          status = g.status::"ProcessStatus", current_step = g."currentStep", data = g.data, history = g.history,
          cause = nullif(g.cause, 'null'),
          cancelled = nullif(g.cancelled, 'null'), early = g.early, due_at = g."dueAt", sequence = g.sequence,
          revision = g.revision,
          writer = g.writer, updated_at = g."updatedAt", attempts = 0, last_error = NULL, retry_at = NULL
        FROM given AS g WHERE p.tenant_id = $1 AND p.process_id = g."processId" AND p.process_id = ANY($3::uuid[])
      )
      INSERT INTO process_events (tenant_id, process_id, sequence, type, step, detail, at)
      SELECT $1, g."processId", e.sequence, e.type, e.step, e.detail, e.at
      FROM given AS g, jsonb_to_recordset(g.events) AS e(sequence int, type text, step text, detail jsonb,
        at timestamptz)
      ON CONFLICT DO NOTHING`, // an event that an earlier attempt has written
    values: [tenantId, JSON.stringify(writes.map(jsonOfWrite)), writes.map(({ processId }) => processId)],
  });
  await enqueueMessages(
    client,
    writes.flatMap((write) => slipMessages({ tenantId, ...write })),
  );
  for (const { processId, state, events } of writes) {
    const abandoned = events.find((event) => event.type === 'ProcessAbandoned');
    if (abandoned !== undefined)
      await parkAbandoned(client, { tenantId, processId, state, decided: abandoned.decided });
  }
}

/**
 * Two common table expressions that insert processes of tenant `$1`; parameter `$n` is made by `processesParameter`.
 */
export function insertProcessesSql(n: number): string {
  return `new_process AS (
      SELECT * FROM jsonb_to_recordset($${n}::jsonb) AS g(
        "processId" uuid, type text, "workflowId" text, "listedFor" text, status text, "currentStep" text,
        data jsonb, history jsonb, "dueAt" timestamptz, sequence int, "startedAt" timestamptz, events jsonb)
    ), process AS (
      INSERT INTO process_states (
        tenant_id, process_id, process_type, workflow_id, listed_for, status, current_step, data, history,
        due_at, sequence, started_at, updated_at)
      SELECT $1, "processId", type, "workflowId", "listedFor", status::"ProcessStatus", "currentStep", data, history,
        "dueAt", sequence, "startedAt", "startedAt"
      FROM new_process
    ), process_event AS (
      INSERT INTO process_events (tenant_id, process_id, sequence, type, step, detail, at)
      SELECT $1, g."processId", e.sequence, e.type, e.step, e.detail, e.at
      FROM new_process AS g, jsonb_to_recordset(g.events) AS e(sequence int, type text, step text, detail jsonb,
        at timestamptz)
    )`;
}

/** The processes as the parameter of `insertProcessesSql`. */
export function processesParameter(processes: readonly NewProcess[]): string {
  return JSON.stringify(
    processes.map(
      ({
        processId,
        type,
        workflowId,
        listedFor,
        state: { status, currentStep, data, history, dueAt, sequence, startedAt },
        events,
      }) => ({
        processId,
        type,
        workflowId,
        listedFor,
        status,
        currentStep,
        data,
        history,
        dueAt: isoTimeOrNull(dueAt),
        sequence,
        startedAt: isoTime(startedAt),
        events: events.map(jsonOfEvent),
      }),
    ),
  );
}

/** Records a failed attempt of the current step in the row, where operators see it. */
export async function recordAttempt(
  client: pg.ClientBase,
  {
    tenantId,
    processId,
    attempts,
    cause,
    retryAt,
  }: { tenantId: string; processId: string; attempts: number; cause: Cause | null; retryAt: Date | null },
): Promise<void> {
  await client.query(
    'UPDATE process_states SET attempts = $3, last_error = $4, retry_at = $5 WHERE tenant_id = $1 AND process_id = $2',
    [tenantId, processId, attempts, cause === null ? null : JSON.stringify(cause), retryAt],
  );
}

/**
 * Starts a call that was started before. If no attempt was recorded since, that call was never answered, and counts as
 * a failed attempt with the cause `unanswered`. Answers the number of failed attempts.
 */
export async function beginCall(
  client: pg.ClientBase,
  { tenantId, processId, unanswered }: { tenantId: string; processId: string; unanswered: Cause },
): Promise<number> {
  const {
    rows: [row],
  } = await client.query<{ attempts: number }>(
    `
    UPDATE process_states SET
      retry_at = NULL, attempts = attempts + (retry_at IS NULL)::int, last_error = CASE WHEN retry_at IS NULL THEN $3
        ELSE last_error END
    WHERE tenant_id = $1 AND process_id = $2 RETURNING attempts`,
    [tenantId, processId, JSON.stringify(unanswered)],
  );
  return row?.attempts ?? 0;
}

/** The events of a process after one of them, in order. */
export async function eventsAfter(
  client: pg.ClientBase,
  { tenantId, processId, sequence }: { tenantId: string; processId: string; sequence: number },
): Promise<ProcessEvent[]> {
  const { rows } = await client.query<{ event: ProcessEvent }>(
    `
    SELECT detail || jsonb_strip_nulls(jsonb_build_object('type', type, 'step', step, 'sequence', sequence, 'at',
      floor(extract(epoch FROM at) * 1000))) AS event
    FROM process_events WHERE tenant_id = $1 AND process_id = $2 AND sequence > $3 ORDER BY sequence`,
    [tenantId, processId, sequence],
  );
  return rows.map(({ event }) => event);
}

const detailSchema = z.record(z.string(), z.unknown());

function jsonOfWrite({ processId, state, revision, writer, events }: Omit<ProcessWrite, 'type'>): object {
  const { dueAt, updatedAt, startedAt: _, ...rest } = state;
  return {
    ...rest,
    processId,
    revision,
    writer,
    dueAt: isoTimeOrNull(dueAt),
    updatedAt: isoTime(updatedAt),
    events: events.map(jsonOfEvent),
  };
}

function jsonOfEvent({ type, sequence, at, ...more }: ProcessEvent): object {
  const { step = null, ...detail } = detailSchema.parse(more);
  return { type, sequence, at: isoTime(at), step, detail };
}

function lockedOf(row: Row): LockedProcess {
  const { processId: _, type, workflowId, revision, writer, attempts, retryAt, ...rest } = row;
  const { dueAt, startedAt, updatedAt, ...state } = rest;
  return {
    type,
    workflowId,
    revision,
    writer,
    attempts,
    retryAt: retryAt?.getTime() ?? null,
    state: {
      ...state,
      dueAt: dueAt?.getTime() ?? null,
      startedAt: startedAt.getTime(),
      updatedAt: updatedAt.getTime(),
    },
  };
}
