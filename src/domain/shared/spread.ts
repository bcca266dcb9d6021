/** Largest part of a pause by which jitter makes it shorter or longer. */
const JITTER = 0.2;

/**
 * The share of a text, from 0 to below 1: always the same for one text, and spread evenly over many, also over those
 * that differ in a character. FNV-1a with the finalizer of MurmurHash3.
 */
export function shareOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}

/**
 * `delayMs`, up to a fifth shorter or longer: another for each id and attempt, so that what failed together does not
 * come back together, and the same whenever it is asked for again.
 */
export function jittered(delayMs: number, { id, attempt }: { id: string; attempt: number }): number {
  return Math.round(delayMs * (1 - JITTER + 2 * JITTER * shareOf(`${id}:${attempt}`)));
}
