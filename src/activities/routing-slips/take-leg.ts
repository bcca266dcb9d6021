import type pg from 'pg';
import { argumentFault, faultsOf, type NewLeg } from '../../db/routing-slips/check-itinerary.ts';
import { namedLegs } from '../../db/routing-slips/send-routing-slip.ts';
import type { SlipActivities, SlipActivity } from '../../db/routing-slips/slip-activity.ts';
import { readLeg, writeDone, writeTaken, type LegRow } from '../../db/routing-slips/slip-rows.ts';
import type { ProcessData } from '../../domain/process/definition.ts';
import { StepFailure, type StepResult, type StepWork } from '../../domain/process/step-work.ts';
import { MAX_CHARACTERS, MAX_LEGS_IN_ALL } from '../../domain/routing-slips/limits.ts';
import { placeOf, referencesIn, resolve, type JsonObject } from '../../domain/routing-slips/references.ts';
import { itineraryIn } from '../../domain/routing-slips/routing-slip-process.ts';
import type { LocalStep, RemoteStep } from '../process/step-functions.ts';
import type { LegAnswer, TakenLeg } from './leg-functions.ts';
import { each, keyOf, refusal, takenLeg, type Refused } from './leg-work.ts';

/** A leg, and all activities that may be put on its slip. */
interface Standing {
  readonly leg: string;
  readonly activities: SlipActivities;
}

/** A leg of an activity that the code has. */
interface Taking extends Standing {
  readonly declared: SlipActivity;
}

type Answer = LegAnswer<JsonObject>;
type Done = Extract<Answer, { isDone: true }>;
type Prepared = Refused | { readonly values: JsonObject };

/** Takes a leg in our database. */
export function takeLeg(taking: Taking, take: (client: pg.ClientBase, leg: TakenLeg) => Promise<Answer>): LocalStep {
  const { leg, declared } = taking;
  return each(async (client, work) => {
    const row = await readLeg(client, keyOf(work, leg));
    const prepared = prepare(declared, row);
    if ('isDone' in prepared) return prepared;
    await client.query('SAVEPOINT leg');
    const answer = await take(client, takenLeg(work, leg, prepared.values));
    const outcome = answer.isDone
      ? await writeAnswer(client, { taking, work, row }, { taken: prepared.values, answer })
      : answer;
    // Where what it gives can't stand, what it did does not stand either.
    if (!outcome.isDone) await client.query('ROLLBACK TO SAVEPOINT leg');
    return outcome;
  });
}

/** Writes that a leg was done by hand, with what it would have given; nobody knows with which arguments. */
export function skipLeg(taking: Standing, skip: (() => JsonObject) | undefined): LocalStep {
  return each(async (client, work) => {
    const row = await readLeg(client, keyOf(work, taking.leg));
    const answer: Done = { isDone: true, result: skip?.() ?? {} };
    return writeAnswer(client, { taking, work, row }, { taken: null, answer });
  });
}

/** Takes a leg by a call that leaves the process. */
export function callLeg(
  taking: Taking,
  call: (leg: TakenLeg, signal: AbortSignal) => Promise<Answer>,
): RemoteStep<readonly Prepared[], readonly Answer[]> {
  const { leg, declared } = taking;
  return {
    read: async (client, works) => {
      const all: Prepared[] = [];
      for (const work of works) {
        const prepared = prepare(declared, await readLeg(client, keyOf(work, leg)));
        if ('values' in prepared) await writeTaken(client, keyOf(work, leg), prepared.values);
        all.push(prepared);
      }
      return all;
    },
    call: (works, all, signal) =>
      Promise.all(
        works.map(async (work, index): Promise<Answer> => {
          const prepared = all[index];
          if (prepared === undefined) throw new Error('a leg is called for nobody');
          return 'isDone' in prepared ? prepared : call(takenLeg(work, leg, prepared.values), signal);
        }),
      ),
    record: async (client, works, answers) => {
      const results: StepResult[] = [];
      for (const [index, work] of works.entries()) {
        const answer = answers[index];
        if (answer === undefined) throw new Error('a leg has no answer');
        results.push(answer.isDone ? await recordAnswer(client, taking, work, answer) : answer);
      }
      return results;
    },
  };
}

/** It has taken effect elsewhere, so that what does not fit is no refusal, after which nothing would be undone. */
async function recordAnswer(client: pg.ClientBase, taking: Taking, work: StepWork, answer: Done): Promise<StepResult> {
  const row = await readLeg(client, keyOf(work, taking.leg));
  const outcome = await writeAnswer(client, { taking, work, row }, { taken: row.taken ?? {}, answer });
  if (!outcome.isDone) throw new StepFailure(outcome.code, outcome.message);
  return outcome;
}

/** The arguments with the variables as they are, or why they can't be had. */
function prepare(declared: SlipActivity, { arguments: given, variables }: LegRow): Prepared {
  const lacking = referencesIn(given).find(({ variable }) => !Object.hasOwn(variables, variable));
  if (lacking !== undefined) {
    const place = placeOf(lacking.path, 'arguments');
    return refusal(
      'variable_missing',
      `${place} is the variable ${JSON.stringify(lacking.variable)}, which is not there.`,
    );
  }
  const values = resolve(given, variables);
  const fault = argumentFault(declared, values);
  if (fault !== null) return refusal('arguments_invalid', `${fault.place}: ${fault.message}.`);
  return { values: typeof values === 'object' && values !== null ? { ...values } : {} };
}

/** Writes what a leg came to, and answers what its process keeps: nothing, unless it has revised the itinerary. */
async function writeAnswer(
  client: pg.ClientBase,
  { taking, work, row }: { taking: Standing; work: StepWork; row: LegRow },
  { taken, answer: { result, kept, ahead } }: { taken: JsonObject | null; answer: Done },
): Promise<Extract<StepResult, { isDone: true }> | Refused> {
  const variables = { ...row.variables, ...result };
  if (JSON.stringify(variables).length > MAX_CHARACTERS)
    return refusal('variables_too_large', `The variables would have more than ${MAX_CHARACTERS} characters.`);
  const added = (ahead ?? []).filter((one) => typeof one !== 'string');
  const inAll = row.lastNumber + added.length;
  if (inAll > MAX_LEGS_IN_ALL)
    return refusal('too_many_legs', `The slip would have had ${inAll} legs, and may have ${MAX_LEGS_IN_ALL}.`);
  assertFit(taking, added, variables);
  const firstNumber = row.lastNumber + 1;
  await writeDone(client, keyOf(work, taking.leg), { taken, kept, variables, added, firstNumber });
  return { isDone: true, result: ahead === undefined ? {} : revision(taking, work, { ahead, firstNumber }) };
}

function assertFit({ leg, activities }: Standing, added: readonly NewLeg[], variables: JsonObject): void {
  const [fault] = faultsOf(activities, { itinerary: added, variables, isPart: true });
  if (fault !== undefined)
    throw new Error(`${leg} put a leg on the slip that does not fit: ${fault.place} ${fault.message}`);
}

/** The data of the process after a revision: the whole itinerary, and the traits of the legs that are new. */
function revision(
  { leg, activities }: Standing,
  { data }: StepWork,
  { ahead, firstNumber }: { readonly ahead: readonly (string | NewLeg)[]; readonly firstNumber: number },
): ProcessData {
  const itinerary = itineraryIn(data);
  const behind = itinerary.slice(0, itinerary.indexOf(leg) + 1);
  const follow = new Set(itinerary.slice(behind.length));
  const { names, traits } = namedLegs(
    activities,
    ahead.filter((one) => typeof one !== 'string'),
    firstNumber,
  );
  const added = names.values();
  const next = ahead.map((one) => {
    if (typeof one !== 'string') return added.next().value ?? '';
    if (!follow.delete(one)) throw new Error(`${leg} keeps ${one}, which does not follow it`);
    return one;
  });
  return { itinerary: [...behind, ...next], ...traits };
}
