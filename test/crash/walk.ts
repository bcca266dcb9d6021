import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../support/until.ts';
import type { Extra, TestProcess } from '../support/processes.ts';
import type { World } from '../support/world.ts';
import { endLeases } from './crash-world.ts';

const preload = new URL('hold-at-statement.ts', import.meta.url);
/** Targets that go at a time: as many points as one process can be killed at, if none waits for what another locked. */
const BATCH = 12;
/** How long the others are given to come to points of their own once one is held: longer only means fewer processes. */
const STANDSTILL_MS = 700;
const PAUSE_MS = 50;
const ROUND_MS = 90_000;

/** A way through some statements, which many users go. */
export interface Flow {
  readonly world: World;
  /** Starts the process that is killed. */
  readonly start: (world: World, extra: Extra) => Promise<TestProcess>;
  /** Statements count from the first that matches, in its text, its parameters or its rows. */
  readonly from: RegExp;
  /** Sets the flow going for the targets; what it asks of the process may stay without an answer. */
  readonly begin: (targets: readonly string[]) => Promise<void>;
  /** Whether the flow has come to its end for the target. */
  readonly isDone: (target: string) => Promise<boolean>;
}

/**
 * Walks through a flow: processes are killed with SIGKILL, one after the other, while each of their targets is held at
 * a point of its statements where none was before, until a process comes through whose targets meet no new point. Each
 * process also takes over what the killed ones left.
 */
export async function walk({
  world,
  start,
  from,
  begin,
  isDone,
}: Flow): Promise<{ targets: string[]; points: string[]; kills: number }> {
  const journal = join(world.env['DATA_DIR'] ?? '', `${randomUUID()}.journal`);
  await writeFile(journal, '');
  const held = async (): Promise<Map<string, string>> => {
    const lines = (await readFile(journal, 'utf8')).split('\n').filter((line) => line !== '');
    return new Map(
      lines.map((line) => {
        const [target = '', point = ''] = line.split('\t');
        return [target, point];
      }),
    );
  };
  const all: string[] = [];
  for (let kills = 0; ; kills += 1) {
    const targets = Array.from({ length: BATCH }, () => randomUUID());
    all.push(...targets);
    const child = await start(world, {
      preload,
      env: { HOLD_JOURNAL: journal, HOLD_TARGETS: targets.join(','), HOLD_FROM: from.source },
    });
    await begin(targets);

    let last = { count: 0, at: performance.now() };
    await until(
      async () => {
        const here = await held();
        const open = targets.filter((target) => !here.has(target));
        const count = targets.length - open.length;
        if (count > last.count) last = { count, at: performance.now() };
        if (count > 0 && performance.now() - last.at > STANDSTILL_MS) return true;
        for (const target of open) {
          if (await isDone(target)) continue;
          await sleep(PAUSE_MS);
          return false;
        }
        return true;
      },
      { what: 'the end of the flow', timeoutMs: ROUND_MS, seen: held },
    );

    // What it has in hand when it is told to stop may still be a point.
    const isHeld = async (): Promise<boolean> => {
      const here = await held();
      return targets.some((target) => here.has(target));
    };
    if (!(await isHeld())) {
      void child.stop();
      await until(async () => !child.isRunning() || isHeld(), { what: 'the end of the process' });
      if (!(await isHeld())) return { targets: all, points: [...(await held()).values()], kills };
    }
    await child.kill();
    await endLeases(world);
  }
}
