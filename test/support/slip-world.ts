import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { z } from 'zod';
import { createProcessActivities } from '../../src/activities/process/process.ts';
import { stepActivities } from '../../src/activities/process/step.ts';
import { localActivity, remoteActivity, type LegFunctions } from '../../src/activities/routing-slips/leg-functions.ts';
import { legSteps } from '../../src/activities/routing-slips/leg-steps.ts';
import type { NewLeg } from '../../src/db/routing-slips/check-itinerary.ts';
import { insertRoutingSlip } from '../../src/db/routing-slips/send-routing-slip.ts';
import type { SlipActivities } from '../../src/db/routing-slips/slip-activity.ts';
import { findRoutingSlip } from '../../src/db/routing-slips/slip-rows.ts';
import { processType } from '../../src/domain/process/registry.ts';
import { StepFailure } from '../../src/domain/process/step-work.ts';
import type { JsonObject } from '../../src/domain/routing-slips/references.ts';
import { createWorkflowRelay } from '../../src/messaging/outbox/workflow-relay.ts';
import type { Db } from '../../src/postgres/client.ts';
import type { ProcessState as ProcessRow } from '../../src/postgres/generated/client.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { processWorkflowId } from '../../src/workflows/process/process.messages.ts';
import { createEffects, TENANT } from './saga-world.ts';
import type { Scope } from './scope.ts';
import { runWorker } from './worker.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';

const ROLES = ['service', 'operator', 'admin'] as const;
const NOTHING = z.strictObject({});
const text = z.string().min(1);

/** Activities that have every trait between them, and leave what they do in the table of effects. */
export const TEST_ACTIVITIES = {
  note: {
    summary: 'Notes a text, and gives it',
    arguments: z.strictObject({ text }),
    result: z.strictObject({ noted: text }),
    roles: ROLES,
    undo: 'Notes that it is not to be there',
    canSkip: true,
  },
  refuse: { summary: 'Refuses', arguments: NOTHING, result: NOTHING, roles: ROLES },
  call: {
    summary: 'Calls another system',
    arguments: z.strictObject({ text }),
    result: NOTHING,
    roles: ROLES,
    undo: 'Calls it back',
    isRemote: true,
  },
  seal: { summary: 'Can not be undone', arguments: NOTHING, result: NOTHING, roles: ROLES, isPivot: true },
  extend: {
    summary: 'Puts itself on the slip again',
    arguments: NOTHING,
    result: NOTHING,
    roles: ROLES,
    undo: 'Notes it',
    revises: true,
  },
  revise: {
    summary: 'Keeps what follows at these places, and puts new notes before it',
    arguments: z.strictObject({ keep: z.array(z.int()), notes: z.array(text) }),
    result: NOTHING,
    roles: ROLES,
    revises: true,
  },
} as const satisfies SlipActivities;

/** What the calls of a slip come to, in their order; without one they are answered. `lose`: it took effect. */
export type CallEnding = 'fail' | 'lose' | 'refuse';

/** A slip under test. */
export interface Slip {
  readonly processId: string;
  readonly workflowId: string;
  row(): Promise<ProcessRow>;
  variables(): Promise<JsonObject | undefined>;
  /** What was done for it, in order. */
  effects(): Promise<string[]>;
  events(): Promise<string[]>;
  /** What was said of it on its way to the bus, in order. */
  messages(): Promise<string[]>;
  legs(): Promise<Record<string, string>>;
}

/** A worker on real PostgreSQL with these activities. */
export interface SlipWorld extends World {
  /** What the worker's code has; a test may take one out. */
  readonly functions: Record<string, LegFunctions>;
  /** Sends a slip, and what its calls come to. */
  send(itinerary: readonly NewLeg[], variables?: JsonObject, calls?: readonly CallEnding[]): Promise<Slip>;
}

/** A leg, in short. */
export const leg = (activity: keyof typeof TEST_ACTIVITIES, args: JsonObject = {}): NewLeg => ({
  activity,
  arguments: args,
});

/** Starts a worker of these slips, with what carries out promised calls. */
export async function createSlipWorld(scope: Scope, options: WorldOptions = {}): Promise<SlipWorld> {
  const world = await createWorld(scope, { ...options, settings: { BUS_POLL_MS: '20', ...options.settings } });
  const { db, config } = world;
  await createEffects(world.databaseUrl);
  const script = new Map<string, CallEnding[]>();
  const functions = testFunctions(db, script);
  const deps = { db, processType };
  await runWorker(world, {
    activities: { ...createProcessActivities({ db, config }), ...stepActivities(deps, legSteps(functions)) },
  });
  const relay = createWorkflowRelay(world);
  relay.start();
  scope.teardown(() => relay.stop());
  return {
    ...world,
    functions,
    send: async (itinerary, variables = {}, calls = []) => {
      const processId = randomUUID();
      script.set(processId, [...calls]);
      return sendSlip(world, processId, itinerary, variables);
    },
  };
}

/** Sends a slip, whoever carries it. */
export async function sendSlip(
  { db }: Pick<World, 'db'>,
  processId: string,
  itinerary: readonly NewLeg[],
  variables: JsonObject = {},
): Promise<Slip> {
  const slip = { tenantId: TENANT, processId, service: null, itinerary, variables, now: Date.now() };
  await insertRoutingSlip(db.pool, TEST_ACTIVITIES, slip);
  return slipOf(db, processId);
}

/** What these activities do. */
export function testFunctions(db: Db, script = new Map<string, CallEnding[]>()): Record<string, LegFunctions> {
  const outside = (processId: string, effect: string): Promise<void> =>
    rawTransaction(db.pool, TENANT, (client) => note(client, processId, effect));
  return {
    note: localActivity(TEST_ACTIVITIES.note, {
      take: async (client, { processId, leg: name, arguments: { text: noted } }) => {
        await note(client, processId, `${name} ${noted}`);
        return { isDone: true, result: { noted }, kept: { noted } };
      },
      undo: async (client, { processId, leg: name, arguments: { text: noted }, kept }) => {
        await note(client, processId, `undo ${name} ${noted} ${JSON.stringify(kept)}`);
        return noted === 'for ever' ? { isDone: false, code: 'kept', message: 'It stays.' } : { isDone: true };
      },
      skip: () => ({ noted: 'by hand' }),
    }),
    refuse: localActivity(TEST_ACTIVITIES.refuse, {
      take: async () => ({ isDone: false, code: 'sold_out', message: 'There is nothing left.' }),
    }),
    call: remoteActivity(TEST_ACTIVITIES.call, {
      call: async ({ processId, leg: name, arguments: { text: said }, attempts }) => {
        const ending = script.get(processId)?.shift();
        if (ending === 'refuse') return { isDone: false, code: 'sold_out', message: 'There is nothing left.' };
        if (ending !== 'fail') await outside(processId, `${name} ${said} ${attempts}`);
        if (ending !== undefined) throw new StepFailure('lost', 'The answer got lost.');
        return { isDone: true, result: {}, kept: { said } };
      },
      undo: async ({ processId, leg: name, arguments: { text: said }, kept }) => {
        await outside(processId, `undo ${name} ${said} ${JSON.stringify(kept)}`);
        return { isDone: true };
      },
    }),
    seal: localActivity(TEST_ACTIVITIES.seal, { take: async () => ({ isDone: true, result: {} }) }),
    extend: localActivity(TEST_ACTIVITIES.extend, {
      take: async (client, { processId, leg: name }) => {
        await note(client, processId, name);
        return { isDone: true, result: {}, ahead: [leg('extend')] };
      },
      undo: async (client, { processId, leg: name }) => {
        await note(client, processId, `undo ${name}`);
        return { isDone: true };
      },
    }),
    revise: localActivity(TEST_ACTIVITIES.revise, {
      take: async (_, { arguments: { keep, notes }, ahead }) => ({
        isDone: true,
        result: {},
        ahead: [
          ...notes.map((noted) => leg('note', { text: noted })),
          ...keep.map((place) => ahead[place] ?? 'nobody'),
        ],
      }),
    }),
  };
}

async function note(client: pg.ClientBase, processId: string, effect: string): Promise<void> {
  await client.query('INSERT INTO effects (process_id, activity) VALUES ($1, $2)', [processId, effect]);
}

const history = z.array(z.looseObject({ step: z.string(), status: z.string() }));

function slipOf(db: Db, processId: string): Slip {
  const row = () =>
    db.inTenant(TENANT, (tx) =>
      tx.processState.findUniqueOrThrow({ where: { tenantId_processId: { tenantId: TENANT, processId } } }),
    );
  const texts = (sql: string) =>
    rawTransaction(db.pool, TENANT, async (tx) =>
      (await tx.query<{ text: string }>(sql, [processId])).rows.map(({ text: found }) => found),
    );
  return {
    processId,
    workflowId: processWorkflowId({ type: 'routing_slip', processId }),
    row,
    variables: async () => (await findRoutingSlip(db.pool, { tenantId: TENANT, processId }))?.variables,
    effects: () => texts('SELECT activity AS text FROM effects WHERE process_id = $1 ORDER BY position'),
    events: () =>
      texts(`SELECT concat_ws(' ', type, step) AS text FROM process_events WHERE process_id = $1 ORDER BY sequence`),
    messages: () =>
      texts(`SELECT concat_ws(' ', payload->>'type', payload->'data'->>'leg') AS text FROM outgoing_messages
        WHERE key = $1 ORDER BY xid, position`),
    legs: async () =>
      Object.fromEntries(history.parse((await row()).history).map(({ step, status }) => [step, status])),
  };
}
