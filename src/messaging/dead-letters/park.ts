import type { Db } from '../../postgres/client.ts';
import { parkDeadLetter } from './dead-letters.ts';
import { parkingCause, type Park } from '../bus.ts';

/** Parks messages of the bus as dead letters; the source is the consumer group. */
export function parkInDeadLetters(db: Db): Park {
  return ({ group, message, error }) =>
    db.inTenant(message.tenantId, (tx) =>
      parkDeadLetter(tx, { ...message, source: group, type: message.topic, ...parkingCause(error, 'handler_failed') }),
    );
}
