import type { EventCopy } from './copy.ts';
import type { HeldCopy } from './copy-store.ts';

/**
 * Event ids remembered for one version. A redelivered event is recognised as long as fewer emissions of its version
 * came after it.
 */
const KEPT_EVENT_IDS = 50;

/** The part of an event that the record of copies needs. */
export type CopyEvent = EventCopy & { readonly isDeletion: boolean };

/** What an event is to a service that holds `held`. */
export type Verdict =
  /** To be taken over. The same version, or deletion, in another event counts as new: somebody wants it done again. */
  | { readonly kind: 'new' }
  /** It took effect before. */
  | { readonly kind: 'repeated' }
  /** It tells of a version before the one that is held, or of a user that is deleted here. */
  | { readonly kind: 'stale'; readonly held: HeldCopy };

/** Judges an event of a user, or of the user's deletion. */
export function judge(held: HeldCopy | undefined, { userVersion, eventId, isDeletion }: CopyEvent): Verdict {
  if (held === undefined) return { kind: 'new' };
  if (held.isDeleted && !isDeletion) return { kind: 'stale', held };
  if (isDeletion) return held.isDeleted && held.eventIds.includes(eventId) ? { kind: 'repeated' } : { kind: 'new' };
  if (userVersion < held.userVersion) return { kind: 'stale', held };
  return userVersion === held.userVersion && held.eventIds.includes(eventId) ? { kind: 'repeated' } : { kind: 'new' };
}

/** What is held after an event that was new. */
export function heldAfter(held: HeldCopy | undefined, { userVersion, eventId, isDeletion }: CopyEvent): HeldCopy {
  const before = held?.userVersion === userVersion && held.isDeleted === isDeletion ? held.eventIds : [];
  return { userVersion, eventIds: [...before, eventId].slice(-KEPT_EVENT_IDS), isDeleted: isDeletion };
}
