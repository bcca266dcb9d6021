import type { SystemDb } from '../../postgres/client.ts';
import { parkDeadLetter } from './dead-letters.ts';
import { parkingCause, type Park } from '../bus.ts';

/** Parks messages of the bus as dead letters; the source is the consumer group. */
export function parkInDeadLetters(system: SystemDb): Park {
  return ({ group, message, error }) =>
    system.acrossTenants((tx) =>
      parkDeadLetter(tx, { ...message, source: group, type: message.topic, ...parkingCause(error, 'handler_failed') }),
    );
}
