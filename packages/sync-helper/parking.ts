import type { Park } from '../../src/messaging/bus.ts';
import { InfrastructureError } from './errors.ts';

/**
 * Says of a handler's error that waiting helps: the bus delivers again for as long as it takes, and never parks for it.
 */
export function isInfrastructureAway(error: unknown): boolean {
  return error instanceof InfrastructureError;
}

/** Parks by saying so; without personal data: neither the payload nor the error's text is in it. */
export const warnOfParked: Park = async ({ group, message: { topic, messageId }, error }) => {
  process.emitWarning(`${group} gave up on ${topic} ${messageId}`, {
    type: 'SteadfastParked',
    detail: error instanceof Error ? error.name : 'no error',
  });
};
