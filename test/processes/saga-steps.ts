import { createStepActivity } from '../../src/activities/process/step.ts';
import type { LocalStep, RemoteStep, StepFunction } from '../../src/activities/process/step-functions.ts';
import type { StepActivity } from '../../src/workflows/process/process.activities.ts';
import type { Db } from '../../src/postgres/client.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { isWaiting } from '../../src/domain/process/definition.ts';
import { StepFailure, type StepResult, type StepWork } from '../../src/domain/process/step-work.ts';
import { SAGA_FACTS, SAGA_TYPES, sagaType } from './saga-definitions.ts';

/**
 * What an attempt of a step comes to; `effective`: it took effect, and the answer got lost. Without one it succeeds.
 */
export type Ending = 'refuse' | 'fail' | 'lose' | 'effective' | (() => Promise<void>);

/**
 * What the attempts of the steps of these tests come to, in their order, by process and activity. A process whose data
 * says `refused` has that activity refused each time.
 */
export type Script = Map<string, Ending[]>;

/**
 * The tables of the effects, for a superuser to make: what is done in the transaction of its outcome, and what is done
 * elsewhere.
 */
export const EFFECTS_SQL = `
  CREATE TABLE effects (position bigserial PRIMARY KEY, process_id uuid NOT NULL, activity text NOT NULL);
  CREATE TABLE outside (process_id uuid, activity text, calls int NOT NULL DEFAULT 1,
    PRIMARY KEY (process_id, activity));
  GRANT ALL ON effects, outside TO steadfast_tenant, steadfast_system;
  GRANT ALL ON SEQUENCE effects_position_seq TO steadfast_tenant, steadfast_system`;

/** The activities of all steps and undos, which leave their effects in the tables. */
export function sagaSteps(db: Db, script: Script): Record<string, StepActivity> {
  const activities: Record<string, StepActivity> = {};
  const locals: Record<string, StepFunction> = {};
  for (const step of Object.values(SAGA_TYPES).flatMap(({ steps }) => Object.values(steps))) {
    if (isWaiting(step)) continue;
    const isRemote = 'isRemote' in step;
    for (const name of [
      step.execute,
      ...('compensate' in step ? [step.compensate] : []),
      ...('skip' in step ? [step.skip] : []),
    ]) {
      if (!isRemote) locals[name] = { local: local(script, name) };
      activities[name] = createStepActivity(
        { db, processType: sagaType, finders: SAGA_FACTS.finders },
        isRemote ? { remote: remote(db, script, name) } : { local: local(script, name) },
        locals,
      );
    }
  }
  return activities;
}

function local(script: Script, activity: string): LocalStep {
  return async (client, works) => {
    for (const work of works) {
      if (nextOf(script, activity, work) === 'refuse') continue;
      const { processId } = work;
      await client.query('INSERT INTO effects (process_id, activity) VALUES ($1, $2)', [processId, activity]);
    }
    return play(script, activity, works);
  };
}

/** A service that knows its callers' keys, and hence does nothing twice. */
function remote({ pool }: Db, script: Script, activity: string): RemoteStep {
  return callAlone(async (works) => {
    for (const work of works) {
      const { tenantId, processId } = work;
      const ending = nextOf(script, activity, work);
      if (ending === 'refuse' || ending === 'fail' || ending === 'lose') continue;
      await rawTransaction(pool, tenantId, (client) =>
        client.query(
          'INSERT INTO outside AS o (process_id, activity) VALUES ($1, $2) ON CONFLICT (process_id, activity) DO ' +
            'UPDATE SET calls = o.calls + 1',
          [processId, activity],
        ),
      );
    }
    return play(script, activity, works);
  });
}

/** A step that needs nothing but its call. */
export function callAlone(call: (works: readonly StepWork[]) => Promise<readonly StepResult[]>): RemoteStep {
  const step: RemoteStep<null, readonly StepResult[]> = {
    read: async () => null,
    call,
    record: async (_client, _works, results) => results,
  };
  return step;
}

function nextOf(script: Script, activity: string, { processId, data }: StepWork): Ending | undefined {
  return data['refused'] === activity ? 'refuse' : script.get(`${processId} ${activity}`)?.[0];
}

async function play(script: Script, activity: string, works: readonly StepWork[]): Promise<StepResult[]> {
  return Promise.all(
    works.map(async (work): Promise<StepResult> => {
      const ending = nextOf(script, activity, work);
      script.get(`${work.processId} ${activity}`)?.shift();
      if (ending === 'refuse') return { isDone: false, code: 'sold_out', message: 'There is nothing left.' };
      if (ending === 'fail') throw new StepFailure('jammed', 'It is jammed.');
      if (ending === 'lose' || ending === 'effective') throw new StepFailure('lost', 'The answer got lost.');
      await ending?.();
      return { isDone: true, result: { [activity]: 'done' } };
    }),
  );
}
