import { invalid, type Parsed } from '../shared/decision.ts';
import { fieldsOf } from '../shared/payload.ts';
import { isAtMost, isStorableText } from '../shared/text.ts';
import type { ProcessCommandName } from './command-names.ts';
import type { ProcessCommand } from './decide.ts';

const LONGEST_TEXT = 500;
/** Limits of an event's payload: it is kept in the row, and passed to every step that follows. */
const LARGEST_PAYLOAD = 10_000;
const DEEPEST_PAYLOAD = 10;

/** Commands that override the process's own rules, and hence need a reason. */
const WITH_REASON: ReadonlySet<ProcessCommandName> = new Set<ProcessCommandName>([
  'skipCompensation',
  'skipStep',
  'abandon',
]);

/** Reads the payload of a command: `by` and `reason` are texts of up to 500 characters. */
export function parseProcessCommand(type: ProcessCommandName, payload: unknown): Parsed<ProcessCommand> {
  const { by = 'unknown', reason = null, step } = fieldsOf(payload);
  if (!isText(by)) return invalid('"by" must be a text of 1 to 500 characters');
  if (reason !== null && !isText(reason)) return invalid('"reason" must be a text of 1 to 500 characters');
  if (reason === null && WITH_REASON.has(type)) return invalid(`"${type}" needs a "reason"`);
  if (type !== 'skipCompensation') return { ok: true, value: { type, by, reason } };
  return isText(step)
    ? { ok: true, value: { type, step, by, reason } }
    : invalid('"step" must name the step whose undo is to be skipped');
}

/**
 * Reads the payload of an outside event: a JSON object of up to 10,000 characters, nested up to 10 deep, or nothing.
 */
export function parseReceived(event: string, payload: unknown = {}): Parsed<ProcessCommand> {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
    return invalid('the payload must be a JSON object');
  if (!isStorablePayload(payload, DEEPEST_PAYLOAD))
    return invalid("the payload is nested too deep, or holds a character that can't be stored");
  if (JSON.stringify(payload).length > LARGEST_PAYLOAD)
    return invalid(`the payload is longer than ${LARGEST_PAYLOAD} characters`);
  return { ok: true, value: { type: 'receive', event, payload: { ...payload } } };
}

/**
 * Whether PostgreSQL can keep the value; as JSON text it could not be told, since what it can't keep is escaped there.
 */
function isStorablePayload(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return isStorableText(value);
  if (typeof value !== 'object' || value === null) return true;
  return (
    depth > 0 &&
    Object.entries(value).every(([key, inner]) => isStorableText(key) && isStorablePayload(inner, depth - 1))
  );
}

function isText(value: unknown): value is string {
  return isStorableText(value) && value !== '' && isAtMost(value, LONGEST_TEXT);
}
