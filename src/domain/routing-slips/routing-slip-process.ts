import type { ActingStep, ProcessData, ProcessDefinition } from '../process/definition.ts';
import type { SlipCause } from './codes.ts';

/** What the process of a slip knows of an activity; it stays as it was when the leg was put on the slip. */
export interface LegTraits {
  /** Calls another system. */
  readonly isRemote?: boolean;
  /** Once it is done nothing is undone any more. */
  readonly isPivot?: boolean;
  readonly hasUndo?: boolean;
  /** An operator may say that it was done by hand. */
  readonly canSkip?: boolean;
}

/**
 * The data of a slip's process: the names of its legs in their order, and the traits of each leg under its name. What a
 * leg was asked for, and the variables, are in the slip's rows.
 */
export type RoutingSlipData = ProcessData & { readonly itinerary: readonly string[] };

/**
 * The process of a routing slip: an itinerary that is given when it begins. A leg that revises it answers the whole
 * itinerary anew. An activity that the code does not know any more is nobody's refusal, so an operator is asked.
 */
export const routingSlipProcess: ProcessDefinition<RoutingSlipData> = {
  type: 'routing_slip',
  summary: 'Routing slip: the legs of its itinerary, one after another, or undone',
  isTold: true,
  steps: {},
  stepIn: (data, leg) => (Object.hasOwn(data, leg) ? stepOfLeg(traitsIn(data[leg])) : undefined),
  next: (completed, { itinerary }) => itinerary[completed === null ? 0 : itinerary.indexOf(completed) + 1] ?? null,
};

/** Name of a leg: its number, which counts the legs that were ever put on the slip from 1, and its activity. */
export function legName({ number, activity }: { readonly number: number; readonly activity: string }): string {
  return `${number}:${activity}`;
}

/** The number and the activity in a leg's name. */
export function readLegName(name: string): { readonly number: number; readonly activity: string } {
  const [, number = '0', activity = ''] = /^(\d+):(.+)$/.exec(name) ?? [];
  return { number: Number(number), activity };
}

/** The itinerary in the data of a slip's process; empty, where these are another type's. */
export function itineraryIn({ itinerary }: ProcessData): readonly string[] {
  return Array.isArray(itinerary) ? itinerary.map(String) : [];
}

/** What the process keeps of the traits of an activity: no undefined fields, since it is kept as JSON. */
export function keptTraits({ isRemote, isPivot, hasUndo, canSkip }: LegTraits): LegTraits {
  return {
    ...(isRemote === true ? { isRemote } : {}),
    ...(isPivot === true ? { isPivot } : {}),
    ...(hasUndo === true ? { hasUndo } : {}),
    ...(canSkip === true ? { canSkip } : {}),
  };
}

function stepOfLeg({ isRemote, isPivot, hasUndo, canSkip }: LegTraits): ActingStep {
  return {
    execute: 'takeLeg',
    ...(hasUndo === true ? { compensate: 'undoLeg' } : {}),
    ...(canSkip === true ? { skip: 'skipLeg' } : {}),
    ...(isRemote === true ? { isRemote } : {}),
    ...(isPivot === true ? { isPivot } : {}),
    parksOn: ['activity_missing' satisfies SlipCause],
  };
}

function traitsIn(value: unknown): LegTraits {
  const has = (trait: string): boolean =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(value).some(([key, is]) => key === trait && is === true);
  return { isRemote: has('isRemote'), isPivot: has('isPivot'), hasUndo: has('hasUndo'), canSkip: has('canSkip') };
}
