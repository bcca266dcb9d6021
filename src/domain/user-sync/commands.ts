import { invalid, type Parsed } from '../shared/decision.ts';
import { fieldsOf } from '../shared/payload.ts';
import { isStorableText, toStorableText } from '../shared/text.ts';
import type { UserSyncCommand } from './user-sync.ts';

const MAX_ERROR_LENGTH = 1_000;
/** Largest number that the rows can keep. */
const MAX_INTEGER = 2_147_483_647;

/** Reads the payload of `confirmed`: `{ service, userVersion? }`. */
export function parseConfirmed(payload: unknown): Parsed<UserSyncCommand> {
  const { service, userVersion } = fieldsOf(payload);
  if (!isServiceName(service)) return invalid('service must be a text');
  if (!isOptionalVersion(userVersion)) return invalid('userVersion must be a whole number above 0');
  return { ok: true, value: { type: 'confirm', service, ...(userVersion === undefined ? {} : { userVersion }) } };
}

/** Reads the payload of `failed`: `{ service, userVersion?, error? }`; a longer error is cut at 1,000 characters. */
export function parseFailed(payload: unknown): Parsed<UserSyncCommand> {
  const { service, userVersion, error } = fieldsOf(payload);
  if (!isServiceName(service)) return invalid('service must be a text');
  if (!isOptionalVersion(userVersion)) return invalid('userVersion must be a whole number above 0');
  if (error !== undefined && !isStorableText(error)) return invalid('error must be a text');
  return {
    ok: true,
    value: {
      type: 'fail',
      service,
      ...(userVersion === undefined ? {} : { userVersion }),
      ...(error === undefined ? {} : { error: toStorableText(error, MAX_ERROR_LENGTH) }),
    },
  };
}

/** Reads the payload of `reconcile`: nothing, or `{ service, heldVersion? }`. */
export function parseReconcile(payload: unknown): Parsed<UserSyncCommand> {
  const { service, heldVersion } = fieldsOf(payload);
  if (service !== undefined && !isServiceName(service)) return invalid('service must be a text');
  if (!isOptionalVersion(heldVersion)) return invalid('heldVersion must be a whole number above 0');
  return {
    ok: true,
    value: {
      type: 'reconcile',
      ...(service === undefined ? {} : { service }),
      ...(heldVersion === undefined ? {} : { heldVersion }),
    },
  };
}

/** Reads the payload of `userChanged`: `{ version, services? }`; with services the whole new list of them. */
export function parseUserChanged(payload: unknown): Parsed<readonly UserSyncCommand[]> {
  const { version, services } = fieldsOf(payload);
  if (version === undefined || !isOptionalVersion(version)) return invalid('version must be a whole number above 0');
  if (services === undefined) return { ok: true, value: [{ type: 'changeUser', version }] };
  if (!Array.isArray(services) || services.length === 0 || !services.every(isServiceName))
    return invalid('services must be a list of texts, at least one');
  return {
    ok: true,
    value: [
      { type: 'changeServices', services },
      { type: 'changeUser', version },
    ],
  };
}

/** Reads the payload of a deletion: `{ version, publishedAt? }`, an instant in ISO 8601. */
export function parseUserDeleted(payload: unknown): Parsed<UserSyncCommand> {
  const { version, publishedAt } = fieldsOf(payload);
  if (version === undefined || !isOptionalVersion(version)) return invalid('version must be a whole number above 0');
  if (publishedAt === undefined) return { ok: true, value: { type: 'deleteUser', version } };
  const at = typeof publishedAt === 'string' ? Date.parse(publishedAt) : NaN;
  if (Number.isNaN(at)) return invalid('publishedAt must be an instant');
  return { ok: true, value: { type: 'deleteUser', version, publishedAt: at } };
}

function isServiceName(value: unknown): value is string {
  return isStorableText(value) && value !== '' && value.length <= 63;
}

function isOptionalVersion(value: unknown): value is number | undefined {
  return (
    value === undefined ||
    (typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value <= MAX_INTEGER)
  );
}
