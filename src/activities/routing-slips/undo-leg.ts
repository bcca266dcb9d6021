import type pg from 'pg';
import { readLeg, type LegRow } from '../../db/routing-slips/slip-rows.ts';
import type { StepResult } from '../../domain/process/step-work.ts';
import type { LocalStep, RemoteStep } from '../process/step-functions.ts';
import type { UndoneLeg } from './leg-functions.ts';
import { each, keyOf, refusal, takenLeg } from './leg-work.ts';

/** Undoes a leg of our database. What it does and that it is done are one transaction: it left nothing otherwise. */
export function undoLeg(
  leg: string,
  undo: ((client: pg.ClientBase, undone: UndoneLeg) => Promise<StepResult>) | undefined,
): LocalStep {
  return each(async (client, work) => {
    const { isDone, taken, kept } = await readLeg(client, keyOf(work, leg));
    if (undo === undefined || !isDone) return { isDone: true };
    if (taken === null) return BY_HAND;
    return undo(client, { ...takenLeg(work, leg, taken), kept: kept ?? undefined });
  });
}

/** Undoes a leg that has called another system, or may have. */
export function callBackLeg(
  leg: string,
  undo: ((undone: UndoneLeg, signal: AbortSignal) => Promise<StepResult>) | undefined,
): RemoteStep<readonly LegRow[], readonly StepResult[]> {
  return {
    read: async (client, works) => {
      const rows: LegRow[] = [];
      for (const work of works) rows.push(await readLeg(client, keyOf(work, leg)));
      return rows;
    },
    call: (works, rows, signal) =>
      Promise.all(
        works.map(async (work, index): Promise<StepResult> => {
          const row = rows[index];
          if (undo === undefined || row === undefined) return { isDone: true };
          // It was never called.
          if (row.taken === null) return row.isDone ? BY_HAND : { isDone: true };
          return undo({ ...takenLeg(work, leg, row.taken), kept: row.kept ?? undefined }, signal);
        }),
      ),
    record: async (_, __, results) => results,
  };
}

const BY_HAND = refusal('done_by_hand', 'The leg was done by hand, and nobody here knows how to undo it.');
