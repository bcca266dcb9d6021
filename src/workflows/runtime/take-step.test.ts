import test from 'ava';
import { accept, refuse } from '../../domain/shared/decision.ts';
import type { RefusedCommand } from './command-queue.ts';
import { openRun, type Decider, type DeciderRun, type Entity, type Kind, type Surroundings } from './decider.ts';
import { takeStep } from './take-step.ts';

/** A door with one key, which is refused when it's taken already. */
interface DoorKind extends Kind {
  readonly state: { readonly keyOf: string | null };
  readonly command: { readonly type: 'takeKey'; readonly by: string };
  readonly event: { readonly by: string };
  readonly settings: null;
}

const door: Decider<DoorKind> = {
  decide: ({ keyOf }, command) => {
    if (command.type === 'passTime') return accept();
    return keyOf === null ? accept({ by: command.by }) : refuse('unknown_event', `${keyOf} has the key.`);
  },
  evolve: (_state, { by }) => ({ keyOf: by }),
};

const free: Entity<DoorKind> = { state: { keyOf: null }, revision: 1, settings: null };

/** A door whose row is `row`; a write under any but the next revision is superseded. */
function open(stored: Entity<DoorKind> | null): {
  run: DeciderRun<DoorKind>;
  around: Surroundings<DoorKind>;
  written: readonly number[];
  changes: readonly { before: string | null; after: string | null; events: number }[];
} {
  let row = stored;
  const written: number[] = [];
  const changes: { before: string | null; after: string | null; events: number }[] = [];
  return {
    run: openRun(door, undefined),
    written,
    changes,
    around: {
      rows: {
        load: async () => row,
        save: async ({ state, revision }) => {
          if (row === null || revision !== row.revision + 1) return { answer: 'superseded', settings: null };
          row = { state, revision, settings: null };
          written.push(revision);
          return { answer: 'written', settings: null };
        },
      },
      lifecycle: {
        begin: async () => row,
        next: () => ({ type: 'rest', until: null }),
        afterChange: async ({ state }, { before, events }) => {
          changes.push({ before: before.keyOf, after: state.keyOf, events: events.length });
        },
        cancel: () => undefined,
        refusalAtEnd: () => ({ code: 'process_closed', detail: 'The door is gone.' }),
        continueAsNew: () => Promise.reject(new Error('not here')),
      },
      showing: { when: 'at_rest', searchAttributes: () => [], currentDetails: () => '', timerSummary: () => '' },
    },
  };
}

function take(run: DeciderRun<DoorKind>, by: string): void {
  run.queue.signal('takeKey', { ok: true, value: { type: 'takeKey', by } });
}

function refusals(run: DeciderRun<DoorKind>): readonly Pick<RefusedCommand, 'name' | 'detail'>[] {
  return run.queue.refused.map(({ name, detail }) => ({ name, detail }));
}

test('what happens by all commands received so far is written once, under the next revision', async (t) => {
  const { run, around, written } = open(free);
  take(run, 'ann');
  take(run, 'bob');
  t.deepEqual(await takeStep(run, around, free), { state: { keyOf: 'ann' }, revision: 2, settings: null });
  t.deepEqual(written, [2]);
  t.deepEqual(refusals(run), [{ name: 'takeKey', detail: 'ann has the key.' }]);
  t.true(run.queue.isEmpty);
});

test('an Update is answered once its step is written, and rejected with the refusal as failure type', async (t) => {
  const { run, around } = open(free);
  const first = run.queue.submit('takeKey', { ok: true, value: { type: 'takeKey', by: 'ann' } });
  const second = run.queue.submit('takeKey', { ok: true, value: { type: 'takeKey', by: 'bob' } });
  await Promise.all([
    takeStep(run, around, free),
    t.notThrowsAsync(first),
    t.throwsAsync(second, { message: 'ann has the key.' }),
  ]);
  t.deepEqual(await first, { before: free.state, events: [{ by: 'ann' }] });
});

test('nothing is written of a step in which nothing happens, unless that was asked for', async (t) => {
  const { run, around, written } = open(free);
  t.is(await takeStep(run, around, free), free);
  t.deepEqual(written, []);
  run.queue.requestSave();
  t.false(run.queue.isEmpty);
  t.is((await takeStep(run, around, free))?.revision, 2);
  t.deepEqual(written, [2]);
});

test('a command that a row ahead supersedes is decided on again, by the state of the row', async (t) => {
  const { run, around, written, changes } = open({ ...free, state: { keyOf: 'zoe' }, revision: 7 });
  take(run, 'ann');
  t.is((await takeStep(run, around, free))?.revision, 7);
  t.deepEqual(refusals(run), [{ name: 'takeKey', detail: 'zoe has the key.' }]);
  t.deepEqual(written, []);
  t.deepEqual(changes, [{ before: null, after: 'zoe', events: 0 }]);
});

test('a superseded command that the row allows is written after the row', async (t) => {
  const { run, around, written, changes } = open({ ...free, revision: 7 });
  take(run, 'ann');
  t.is((await takeStep(run, around, free))?.revision, 8);
  t.deepEqual(written, [8]);
  t.deepEqual(changes, [
    { before: null, after: null, events: 0 },
    { before: null, after: 'ann', events: 1 },
  ]);
  t.is(run.entity?.revision, 8);
});

test('a command that leads to what can never be written is refused, and the row stays', async (t) => {
  const { run, around } = open({ ...free, revision: 7 });
  take(run, 'ann');
  const unstorable: typeof around = {
    ...around,
    rows: { ...around.rows, save: async () => ({ answer: 'unstorable', settings: null }) },
  };
  t.is((await takeStep(run, unstorable, free))?.revision, 7);
  t.is(run.queue.refused.at(-1)?.code, 'not_saved');
  t.true(run.queue.isEmpty);
});

test('whoever waits is refused when the row is gone, and the workflow is over', async (t) => {
  const { run, around } = open(null);
  take(run, 'ann');
  t.is(await takeStep(run, around, free), null);
  t.deepEqual(refusals(run), [{ name: 'takeKey', detail: 'The door is gone.' }]);
});

test('a workflow that is told to end takes no further step, whatever came before', async (t) => {
  const { run, around, written } = open(free);
  take(run, 'ann');
  run.queue.requestEnd();
  t.is(await takeStep(run, around, free), null);
  t.deepEqual(written, []);
  t.is(run.queue.waiting.length, 1, 'left for the end to refuse');
});
