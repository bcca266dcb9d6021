import type { Bus, Subscription } from '../../src/messaging/bus.ts';
import { confirmation, failureReport, reconciliationRequest, type Doubt } from './answers.ts';
import type { UserCopy } from './copy.ts';
import { retryDeletions } from './retry-deletions.ts';
import { createUserEventsHandler, type UserEventHandlers } from './user-events-handler.ts';
import { USER_TOPICS } from './user-events.ts';

const SERVICE_NAME = /^[a-z][a-z0-9_-]{0,62}$/;

/**
 * A service's part in user sync. All calls resolve once what they send is durable on the bus, and reject when it is
 * not.
 */
export interface SyncHelper {
  /** Says that the service holds this version. Only the current version counts. */
  confirmUserSync(copy: UserCopy): Promise<void>;
  /**
   * Says that the service could not take this version over. The error's text is cut at 1,000 characters; e-mail
   * addresses in it are blanked out.
   */
  reportSyncFailure(copy: UserCopy, error: unknown): Promise<void>;
  /** Asks for the user to be sent again, since the service doubts its copy. */
  requestReconciliation(doubt: Doubt): Promise<void>;
  /**
   * Consumes the events about users until it is stopped, and answers them; deletions that failed are tried again. All
   * processes of a service share the group, which is the service's name unless given.
   */
  handleUserEvents<Context>(handlers: UserEventHandlers<Context> & { readonly group?: string }): Promise<Subscription>;
}

/**
 * Makes the helper of one service. `service` is its name in Steadfast's lists of services: 1 to 63 lower-case letters,
 * digits, - and _, the first a letter; throws a `TypeError` otherwise. The bus stays the caller's to close.
 */
export function createSyncHelper({ service, bus }: { readonly service: string; readonly bus: Bus }): SyncHelper {
  if (!SERVICE_NAME.test(service)) throw new TypeError(`service: "${service}" is no name of a service`);
  return {
    confirmUserSync: (copy) => bus.publish([confirmation({ service, copy })]),
    reportSyncFailure: (copy, error) => bus.publish([failureReport({ service, copy, error })]),
    requestReconciliation: (doubt) => bus.publish([reconciliationRequest({ service, doubt })]),
    handleUserEvents: async ({ group = service, ...handlers }) => {
      const { handle, remove } = createUserEventsHandler({ service, bus, ...handlers });
      const subscription = await bus.subscribe({ group, topics: USER_TOPICS, handle });
      const { deletions } = handlers.store;
      if (deletions === undefined) return subscription;
      const retries = retryDeletions({ deletions, remove });
      return { stop: async () => void (await Promise.all([subscription.stop(), retries.stop()])) };
    },
  };
}
