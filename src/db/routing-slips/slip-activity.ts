import type { z } from 'zod';
import type { Role } from '../../auth/roles.ts';
import { keptTraits, type LegTraits } from '../../domain/routing-slips/routing-slip-process.ts';

/** Who may put activities on a slip. */
export const SLIP_ROLES = ['service', 'operator', 'admin'] as const satisfies readonly Role[];
export type SlipRole = (typeof SLIP_ROLES)[number];

/** Declaration of an activity that may stand on a routing slip: what it takes and gives, and who may use it. */
export interface SlipActivity<Arguments extends z.ZodObject = z.ZodObject, Result extends z.ZodObject = z.ZodObject> {
  readonly summary: string;
  readonly arguments: Arguments;
  /** What it gives; each field becomes a variable of that name. */
  readonly result: Result;
  readonly roles: readonly SlipRole[];
  /** What its undo does, in one sentence; absent: there is nothing to undo. */
  readonly undo?: string;
  /** It calls another system. */
  readonly isRemote?: true;
  /** Once it is done nothing is undone any more. */
  readonly isPivot?: true;
  /** An operator may say that it was done by hand. */
  readonly canSkip?: true;
  /** It may put legs on the slip, or take off what follows. */
  readonly revises?: true;
}

/** Activities by their names. */
export type SlipActivities = Readonly<Record<string, SlipActivity>>;

/** The activity of that name, if there is one. */
export function findActivity(activities: SlipActivities, name: string): SlipActivity | undefined {
  return Object.hasOwn(activities, name) ? activities[name] : undefined;
}

/** What the process of a slip keeps of an activity. */
export function traitsOf({ isRemote, isPivot, undo, canSkip }: SlipActivity): LegTraits {
  return keptTraits({
    isRemote: isRemote === true,
    isPivot: isPivot === true,
    hasUndo: undo !== undefined,
    canSkip: canSkip === true,
  });
}
