import type { Park } from '../../src/bus/bus.ts';
import { InfrastructureError } from './infrastructure-error.ts';

/** Parks what `park` is meant for; what only waits for a store or the bus to come back is delivered again instead. */
export function parkUnlessAway(park: Park = warn): Park {
  return async (parked) => {
    if (parked.error instanceof InfrastructureError) throw parked.error;
    await park(parked);
  };
}

/** Without personal data: neither the payload nor the error's text is in it. */
const warn: Park = async ({ group, message: { topic, messageId }, error }) => {
  process.emitWarning(`${group} gave up on ${topic} ${messageId}`, {
    type: 'SteadfastParked', detail: error instanceof Error ? error.name : 'no error',
  });
};
