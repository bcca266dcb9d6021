import express, { type RequestHandler } from 'express';
import { Problem } from './problem.ts';

/** Far deeper than any body that a route declares. */
const DEEPEST = 32;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** Reads bodies of JSON in UTF-8 up to `limitBytes`; too deep a one is refused before anything walks it. */
export function jsonBody(limitBytes: number): RequestHandler {
  return express.json({
    limit: limitBytes,
    type: ['application/json', 'application/*+json'],
    verify: (_request, _response, body, encoding) => {
      if (encoding !== 'utf-8') throw new Problem('unsupported_media_type');
      if (isDeeperThan(body, DEEPEST)) {
        throw new Problem('validation_failed', {
          errors: [{ field: 'body', message: `is nested more than ${DEEPEST} levels deep` }],
        });
      }
    },
  });
}

/** Whether arrays and objects of this JSON text lie in each other more than `deepest` levels; in one pass. */
export function isDeeperThan(json: Uint8Array, deepest: number): boolean {
  let depth = 0;
  let isText = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at] ?? 0;
    if (isText) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) isText = true;
    else if (OPENING.has(byte)) {
      depth += 1;
      if (depth > deepest) return true;
    } else if (CLOSING.has(byte)) depth -= 1;
  }
  return false;
}
