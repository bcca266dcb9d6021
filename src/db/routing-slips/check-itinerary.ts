import type { z } from 'zod';
import { MAX_CHARACTERS, MAX_DEPTH } from '../../domain/routing-slips/limits.ts';
import {
  brokenReferencesIn,
  depthOf,
  placeOf,
  REFERENCE,
  referencesIn,
  resolve,
  type ArgumentPath,
  type JsonObject,
} from '../../domain/routing-slips/references.ts';
import { findActivity, type SlipActivities, type SlipActivity } from './slip-activity.ts';

/** A leg as it is put on a slip. */
export interface NewLeg {
  readonly activity: string;
  /** With references to variables. */
  readonly arguments: JsonObject;
}

/** What is wrong, and where: `itinerary[2].arguments.sku`. */
export interface Fault {
  readonly place: string;
  readonly message: string;
}

/**
 * What is wrong with an itinerary and the variables that it begins with, as far as that can be told before it begins.
 * `isPart`: others may give variables before it.
 */
export function faultsOf(
  activities: SlipActivities,
  {
    itinerary,
    variables,
    isPart = false,
  }: { readonly itinerary: readonly NewLeg[]; readonly variables: JsonObject; readonly isPart?: boolean },
): readonly Fault[] {
  // First: whatever else looks at it goes as deep as it is.
  const tooDeep = [
    ...Object.entries(variables).map(([name, value]) => [placeOf([name], 'variables'), value] as const),
    ...itinerary.map((leg, index) => [`itinerary[${index}].arguments`, leg.arguments] as const),
  ].filter(([, value]) => depthOf(value, MAX_DEPTH) > MAX_DEPTH);
  if (tooDeep.length > 0) return tooDeep.map(([place]) => ({ place, message: TOO_DEEP }));
  if (JSON.stringify({ itinerary, variables }).length > MAX_CHARACTERS)
    return [{ place: 'itinerary', message: `with the variables it must have ${MAX_CHARACTERS} characters at most` }];
  const given = new Set(Object.keys(variables));
  let mayHaveMore = isPart;
  return itinerary.flatMap((leg, index): readonly Fault[] => {
    const place = `itinerary[${index}]`;
    const activity = findActivity(activities, leg.activity);
    if (activity === undefined) {
      mayHaveMore = true;
      return [{ place: `${place}.activity`, message: 'there is no activity of this name' }];
    }
    const found = faultsOfArguments(activity, leg.arguments, {
      variables,
      place: `${place}.arguments`,
      isKnown: (variable) => mayHaveMore || given.has(variable),
    });
    for (const variable of Object.keys(activity.result.shape)) given.add(variable);
    mayHaveMore ||= activity.revises === true;
    return found;
  });
}

/** What is wrong with the arguments of a leg, whose references may be to variables that nobody has given yet. */
function faultsOfArguments(
  activity: SlipActivity,
  given: JsonObject,
  { variables, place, isKnown }: { variables: JsonObject; place: string; isKnown: (variable: string) => boolean },
): readonly Fault[] {
  const broken = brokenReferencesIn(given);
  if (broken.length > 0)
    return broken.map((path) => ({
      place: placeOf(path, place),
      message: `"${REFERENCE}" must stand alone, with a name`,
    }));
  const references = referencesIn(given);
  const unknown = references.filter(({ variable }) => !isKnown(variable));
  const later = references.filter(({ variable }) => !Object.hasOwn(variables, variable)).map(({ path }) => path);
  return [
    ...unknown.map(({ path, variable }) => ({
      place: placeOf(path, place),
      message: `no variable and no earlier leg gives ${JSON.stringify(variable)}`,
    })),
    ...faultsOfValues(activity, resolve(given, variables), place, later),
  ];
}

/** What of the arguments does not fit the activity, but for what can't be told before what is at these paths is. */
function faultsOfValues(
  activity: SlipActivity,
  values: unknown,
  place: string,
  except: readonly ArgumentPath[] = [],
): readonly Fault[] {
  const parsed = activity.arguments.safeParse(values);
  if (parsed.success) return [];
  return parsed.error.issues
    .filter((issue) => !except.some((path) => isOnTheWay(path, issue.path)))
    .flatMap((issue) => faultsOfIssue(issue, place));
}

/** What does not fit the activity of a leg's arguments with the variables as they are; null: they fit. */
export function argumentFault(activity: SlipActivity, values: unknown): Fault | null {
  return faultsOfValues(activity, values, 'arguments')[0] ?? null;
}

function faultsOfIssue(issue: z.core.$ZodIssue, place: string): readonly Fault[] {
  const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
  if (issue.code !== 'unrecognized_keys') return [{ place: placeOf(path, place), message: issue.message }];
  return issue.keys.map((key) => ({ place: placeOf([...path, key], place), message: 'there is no such argument' }));
}

/** Whether one of two paths leads through the other. */
function isOnTheWay(one: ArgumentPath, other: readonly PropertyKey[]): boolean {
  return one.slice(0, other.length).every((key, index) => key === other[index]);
}

const TOO_DEEP = `lists and objects must lie ${MAX_DEPTH} deep in each other at most`;
