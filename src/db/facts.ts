import type pg from 'pg';
import { isWaiting, type ProcessData, type ProcessDefinition } from '../domain/process/definition.ts';
import { processType } from '../domain/process/registry.ts';
import { findDeliveries, findReturnedGoods } from './orders/find-facts.ts';

/** Finds for which of these processes what they wait for has happened, as the rows say, with what was told of it. */
export type FindFacts = (
  client: pg.ClientBase,
  processes: { readonly tenantId: string; readonly processIds: readonly string[] },
) => Promise<ReadonlyMap<string, ProcessData>>;

/** What a process waits for and has happened. */
export interface Fact {
  readonly event: string;
  readonly payload: ProcessData;
}

/** Where facts are found: the definitions of processes, and the functions that their waiting steps name. */
export interface Facts {
  readonly processType: (type: string) => ProcessDefinition;
  readonly finders: Readonly<Record<string, FindFacts>>;
}

/** The product's facts. */
export const FACTS: Facts = { processType, finders: { findDeliveries, findReturnedGoods } };

/** Of processes of one type at one step, those whose event has happened; none where the step waits for nothing. */
export async function findFacts(
  client: pg.ClientBase,
  { processType: typeOf, finders }: Facts,
  { type, step, ...processes }: { type: string; step: string | null; tenantId: string; processIds: readonly string[] },
): Promise<ReadonlyMap<string, Fact>> {
  const { steps } = typeOf(type); // a step that is in a process's data waits for nothing
  const declared = step !== null && Object.hasOwn(steps, step) ? steps[step] : undefined;
  if (declared === undefined || !isWaiting(declared)) return new Map();
  const { awaits: event, foundBy } = declared;
  const find = Object.hasOwn(finders, foundBy) ? finders[foundBy] : undefined;
  if (find === undefined) throw new Error(`nothing finds ${foundBy}, which step ${step} of ${type} waits for`);
  const found = await find(client, processes);
  return new Map([...found].map(([processId, payload]) => [processId, { event, payload }]));
}

/** The same for one process in this state. */
export async function findFact(
  client: pg.ClientBase,
  facts: Facts,
  {
    state: { status, currentStep },
    type,
    tenantId,
    processId,
  }: {
    state: { readonly status: string; readonly currentStep: string | null };
    type: string;
    tenantId: string;
    processId: string;
  },
): Promise<Fact | undefined> {
  if (status !== 'waiting') return undefined;
  const found = await findFacts(client, facts, { type, step: currentStep, tenantId, processIds: [processId] });
  return found.get(processId);
}
