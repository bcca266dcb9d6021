import type pg from 'pg';
import type { z } from 'zod';
import type { StepResult } from '../../domain/process/step-work.ts';
import type { NewLeg } from '../../db/routing-slips/check-itinerary.ts';
import type { SlipActivity } from '../../db/routing-slips/slip-activity.ts';
import type { JsonObject } from '../../domain/routing-slips/references.ts';

/** A leg that is taken. */
export interface TakenLeg<Arguments = unknown> {
  readonly tenantId: string;
  readonly processId: string;
  /** Its name on the slip; with the process's id it is what the leg does, however often it is called. */
  readonly leg: string;
  readonly arguments: Arguments;
  /** Attempts that failed before this one, and may have taken effect. */
  readonly attempts: number;
  /** Names of the legs that follow. */
  readonly ahead: readonly string[];
}

/** A leg that is undone, with what it kept for that when it was done; undefined: it may not have been. */
export interface UndoneLeg<Arguments = unknown> extends Omit<TakenLeg<Arguments>, 'ahead'> {
  readonly kept: unknown;
}

/** What a leg came to. `isDone: false` is a refusal: nothing took effect, and the slip turns back. */
export type LegAnswer<Result> =
  | {
      readonly isDone: true;
      readonly result: Result;
      /** What its undo needs, as JSON; it names nobody, and no variable that changes later is read for it. */
      readonly kept?: unknown;
      /** What follows from now on: names of legs that stay, in any order, and new ones; absent: as before. */
      readonly ahead?: readonly (string | NewLeg)[];
    }
  | { readonly isDone: false; readonly code: string; readonly message: string };

/** An activity in our database: in the transaction that also writes that it is done. */
interface LocalFunctions<Arguments, Result> {
  readonly take: (client: pg.ClientBase, leg: TakenLeg<Arguments>) => Promise<LegAnswer<Result>>;
  readonly undo?: (client: pg.ClientBase, leg: UndoneLeg<Arguments>) => Promise<StepResult>;
  /** What it would have given, where it was done by hand; for an activity that `canSkip`. */
  readonly skip?: () => Result;
}

/** An activity that calls another system, outside of any transaction, until `signal` says that the time is up. */
interface RemoteFunctions<Arguments, Result> {
  readonly call: (leg: TakenLeg<Arguments>, signal: AbortSignal) => Promise<LegAnswer<Result>>;
  readonly undo?: (leg: UndoneLeg<Arguments>, signal: AbortSignal) => Promise<StepResult>;
  readonly skip?: () => Result;
}

/** The functions of an activity, over arguments that fit it. */
export interface LegFunctions {
  readonly declared: SlipActivity;
  readonly how:
    | { readonly kind: 'local'; readonly functions: LocalFunctions<unknown, JsonObject> }
    | { readonly kind: 'remote'; readonly functions: RemoteFunctions<unknown, JsonObject> };
}

/** The functions of an activity that does its work in our database. */
export function localActivity<Arguments extends z.ZodObject, Result extends z.ZodObject>(
  declared: SlipActivity<Arguments, Result>,
  { take, undo, skip }: LocalFunctions<z.output<Arguments>, z.input<Result>>,
): LegFunctions {
  const typed = typedBy(declared);
  return {
    declared,
    how: {
      kind: 'local',
      functions: {
        take: async (client, leg) => typed.answer(await take(client, typed.leg(leg))),
        ...(undo === undefined ? {} : { undo: (client, leg) => undo(client, typed.leg(leg)) }),
        ...(skip === undefined ? {} : { skip: () => declared.result.parse(skip()) }),
      },
    },
  };
}

/** The functions of an activity that calls another system. */
export function remoteActivity<Arguments extends z.ZodObject, Result extends z.ZodObject>(
  declared: SlipActivity<Arguments, Result>,
  { call, undo, skip }: RemoteFunctions<z.output<Arguments>, z.input<Result>>,
): LegFunctions {
  const typed = typedBy(declared);
  return {
    declared,
    how: {
      kind: 'remote',
      functions: {
        call: async (leg, signal) => typed.answer(await call(typed.leg(leg), signal)),
        ...(undo === undefined ? {} : { undo: (leg, signal) => undo(typed.leg(leg), signal) }),
        ...(skip === undefined ? {} : { skip: () => declared.result.parse(skip()) }),
      },
    },
  };
}

function typedBy<Arguments extends z.ZodObject, Result extends z.ZodObject>(declared: SlipActivity<Arguments, Result>) {
  return {
    leg: <Leg extends { readonly arguments: unknown }>(
      leg: Leg,
    ): Omit<Leg, 'arguments'> & { arguments: z.output<Arguments> } => ({
      ...leg,
      arguments: declared.arguments.parse(leg.arguments),
    }),
    answer: (answer: LegAnswer<z.input<Result>>): LegAnswer<JsonObject> =>
      answer.isDone ? { ...answer, result: declared.result.parse(answer.result) } : answer,
  };
}
