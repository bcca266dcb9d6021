import { z } from 'zod';
import { SpanKind } from '@opentelemetry/api';
import { ALL_TENANTS, type Db, type Tx } from '../db/client.ts';
import { once } from '../db/inbox.ts';
import { promiseCalls } from '../db/pending-starts.ts';
import {
  confirmedSignal, failedSignal, reconcileSignal, USER_SYNC_WORKFLOW, userSyncWorkflowId,
} from '../workflows/user-sync.messages.ts';
import { inSpan } from '../telemetry/trace-context.ts';
import { PoisonError, type Bus, type BusMessage, type MessageHandler, type Subscription } from './bus.ts';
import { EVENTS, TOPICS } from './events.ts';

/** The consumer's name: its group on the bus, in the inbox and as source of dead letters. */
export const SYNC_CONFIRMATIONS = 'sync-confirmations';

const MAX_ERROR_LENGTH = 1_000;

const syncEvent = z.discriminatedUnion('type', [
  EVENTS[TOPICS.syncConfirmed], EVENTS[TOPICS.syncFailed], EVENTS[TOPICS.reconciliationRequest],
]);
type SyncEvent = z.output<typeof syncEvent>;

/** Subscribes the consumer of what services say about their copies of users. */
export function subscribeSyncConfirmations({ db, bus }: { db: Db; bus: Bus }): Promise<Subscription> {
  return bus.subscribe({
    group: SYNC_CONFIRMATIONS,
    topics: [TOPICS.syncConfirmed, TOPICS.syncFailed, TOPICS.reconciliationRequest],
    handle: createSyncConfirmationsHandler({ db }),
  });
}

/** Turns an event of a service into a signal to the user's `userSync` workflow, once. */
export function createSyncConfirmationsHandler({ db }: { db: Db }): MessageHandler {
  return async (message) => {
    const event = parse(message);
    const { tenantId } = message;
    if (tenantId === ALL_TENANTS) throw new PoisonError('malformed_event', 'The message names no tenant.');
    if (event.tenantid !== undefined && event.tenantid !== tenantId) {
      throw new PoisonError('malformed_event', 'The event names another tenant than the message that brought it.');
    }
    await inSpan(`process ${event.type}`, {
      kind: SpanKind.CONSUMER, parent: event.traceparent ?? message.traceparent,
      attributes: { 'messaging.destination.name': event.type, 'messaging.consumer.group.name': SYNC_CONFIRMATIONS, 'messaging.message.id': message.messageId },
    }, () => db.inTenant(tenantId, (tx) => takeEffect(tx, tenantId, event)));
  };
}

async function takeEffect(tx: Tx, tenantId: string, event: SyncEvent): Promise<void> {
  // Source and id identify an event; a copy that was sent again may have another message id.
  const isNew = await once(tx, { tenantId, consumer: SYNC_CONFIRMATIONS, messageId: `${event.source} ${event.id}` });
  if (!isNew) return;
  const { userId, service, userVersion = 0 } = event.data;
  const user = await tx.user.findUnique({
    where: { tenantId_id: { tenantId, id: userId } }, select: { id: true, version: true, deletedAt: true, services: { where: { service } } },
  });
  if (user === null) throw new PoisonError('unknown_user', 'The event is about a user that does not exist here.');
  if (user.deletedAt !== null) return;
  if (user.services.length === 0) throw new PoisonError('unknown_service', `The user is not synchronised to "${service}".`);
  if (userVersion > user.version) {
    throw new PoisonError('unknown_version', `Version ${userVersion} was never published; the current one is ${user.version}.`);
  }
  await promiseCalls(tx, [{
    tenantId, kind: 'signal_with_start', workflowType: USER_SYNC_WORKFLOW, workflowId: userSyncWorkflowId(user.id),
    input: { tenantId, userId: user.id }, signal: signalOf(event),
  }]);
}

function parse(message: BusMessage): SyncEvent {
  let json: unknown;
  try {
    json = JSON.parse(message.payload);
  } catch {
    throw new PoisonError('malformed_event', 'The payload is not JSON.');
  }
  const event = syncEvent.safeParse(json);
  if (!event.success) throw new PoisonError('malformed_event', z.prettifyError(event.error));
  if (event.data.type !== message.topic) throw new PoisonError('malformed_event', `An event of type ${event.data.type} came by the topic ${message.topic}.`);
  return event.data;
}

function signalOf(event: SyncEvent): { name: string; arg: object } {
  switch (event.type) {
    case 'sync.user.confirmed': {
      const { service, userVersion } = event.data;
      return { name: confirmedSignal.name, arg: { service, userVersion } };
    }
    case 'sync.user.failed': {
      const { service, userVersion, error } = event.data;
      return { name: failedSignal.name, arg: { service, userVersion, ...(error === undefined ? {} : { error: storable(error) }) } };
    }
    case 'sync.user.reconciliation.request': {
      const { service, userVersion } = event.data;
      return { name: reconcileSignal.name, arg: { service, ...(userVersion === undefined ? {} : { heldVersion: userVersion }) } };
    }
  }
}

/** As PostgreSQL can keep it in JSON. */
function storable(error: string): string {
  return error.slice(0, MAX_ERROR_LENGTH).replaceAll('\0', ' ').toWellFormed();
}
