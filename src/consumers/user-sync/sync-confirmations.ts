import { SpanKind } from '@opentelemetry/api';
import type { ClientBase } from 'pg';
import { z } from 'zod';
import { assertNever } from '../../domain/shared/assert-never.ts';
import { isTenantName } from '../../domain/shared/tenant.ts';
import { toStorableText } from '../../domain/shared/text.ts';
import type { Config } from '../../config/config.ts';
import type { Db } from '../../postgres/client.ts';
import { firstTimes } from '../../messaging/inbox.ts';
import { enqueueCalls, type WorkflowCall } from '../../messaging/outbox/workflow-outbox.ts';
import { rawTransaction } from '../../postgres/transaction.ts';
import { readCopies, reopenCopies, type CopyRow } from '../../db/user-sync/copies.ts';
import {
  confirmedSignal,
  failedSignal,
  reconcileSignal,
  USER_SYNC_WORKFLOW,
  userSyncWorkflowId,
} from '../../workflows/user-sync/user-sync.messages.ts';
import { asSpan, currentTraceparent, inSpan, startSpan, type SpanStart } from '../../telemetry/trace-context.ts';
import { PoisonError, type BusMessage, type SubscribeOptions } from '../../messaging/bus.ts';
import { EVENTS, SYNC_CONFIRMATIONS, TOPICS } from '../../events/user-events.ts';
import type { ConfirmationCause } from '../../domain/user-sync/codes.ts';

const MAX_ERROR_LENGTH = 1_000;

const syncEvent = z.discriminatedUnion('type', [
  EVENTS[TOPICS.syncConfirmed],
  EVENTS[TOPICS.syncFailed],
  EVENTS[TOPICS.reconciliationRequest],
]);
type SyncEvent = z.output<typeof syncEvent>;

/** What the consumer of confirmations is built from. */
export interface ConfirmationDeps {
  readonly db: Db;
  readonly config: Pick<Config, 'SYNC_SERVICES'>;
}

/** Turns what services say about their copies of users into signals to the users' `userSync` workflows, once each. */
export function syncConfirmations({ db, config }: ConfirmationDeps): SubscribeOptions {
  const logins = new Set(config.SYNC_SERVICES);
  const read = (message: BusMessage): ConsumedEvent => readFrom(message, logins);
  return {
    group: SYNC_CONFIRMATIONS,
    topics: [TOPICS.syncConfirmed, TOPICS.syncFailed, TOPICS.reconciliationRequest],
    handle: async (message) => {
      const event = read(message);
      await inSpan(...spanOf(event), () => applyEvents(db, [{ ...event, traceparent: currentTraceparent() }]));
    },
    handleBatch: async (messages) => {
      const events = messages.map(read).map((event) => {
        const span = startSpan(...spanOf(event));
        return { ...event, span, traceparent: asSpan(span, currentTraceparent) };
      });
      await applyEvents(db, events);
      // Of a batch that failed no span is exported: its messages are delivered again
      for (const { span } of events) span.end();
    },
  };
}

/** A message and what it says. */
interface ConsumedEvent {
  readonly event: SyncEvent;
  readonly message: BusMessage;
  /** Source and id identify an event; a copy that was sent again may have another message id. */
  readonly inboxId: string;
  readonly traceparent?: string | undefined;
}

/** The event of a message; a log-in with the name of a service speaks for no other. */
function readFrom(message: BusMessage, logins: ReadonlySet<string>): ConsumedEvent {
  const event = parse(message);
  const { publishedBy } = message;
  if (publishedBy !== undefined && logins.has(publishedBy) && publishedBy !== event.data.service) {
    throw new PoisonError<ConfirmationCause>(
      'service_mismatch',
      `The log-in "${publishedBy}" speaks for "${event.data.service}".`,
    );
  }
  if (!isTenantName(message.tenantId))
    throw new PoisonError<ConfirmationCause>('malformed_event', 'The message names no tenant.');
  if (event.tenantid !== undefined && event.tenantid !== message.tenantId) {
    throw new PoisonError<ConfirmationCause>(
      'malformed_event',
      'The event names another tenant than the message that brought it.',
    );
  }
  return { event, message, inboxId: `${event.source} ${event.id}` };
}

function spanOf({ event, message }: ConsumedEvent): [name: string, start: SpanStart] {
  return [
    `process ${event.type}`,
    {
      kind: SpanKind.CONSUMER,
      parent: event.traceparent ?? message.traceparent,
      attributes: {
        'messaging.destination.name': event.type,
        'messaging.consumer.group.name': SYNC_CONFIRMATIONS,
        'messaging.message.id': message.messageId,
      },
    },
  ];
}

/**
 * Queues a signal for each event that is new, in one transaction a tenant. Throws a `PoisonError` for an event that can
 * never have an effect.
 */
async function applyEvents(db: Db, all: readonly ConsumedEvent[]): Promise<void> {
  for (const [tenantId, events] of Map.groupBy(all, ({ message }) => message.tenantId)) {
    await rawTransaction(db.pool, tenantId, async (client) => {
      const fresh = await firstTimes(client, {
        tenantId,
        consumer: SYNC_CONFIRMATIONS,
        messageIds: events.map(({ inboxId }) => inboxId),
      });
      // Of copies of an event in one batch the first counts.
      const one = new Map(
        events
          .toReversed()
          .filter(({ inboxId }) => fresh.has(inboxId))
          .map((event) => [event.inboxId, event]),
      );
      const counting = events.filter((event) => one.get(event.inboxId) === event);
      await enqueueCalls(client, await callsOf(client, tenantId, counting));
    });
  }
}

async function callsOf(
  client: ClientBase,
  tenantId: string,
  events: readonly ConsumedEvent[],
): Promise<WorkflowCall[]> {
  if (events.length === 0) return [];
  const copies = await readCopies(client, { tenantId, of: events.map(({ event: { data } }) => data) });
  const reopened = events.flatMap(({ event }, index) => reopenedBy(event, copies[index]));
  if (reopened.length > 0) await reopenCopies(client, { tenantId, userIds: reopened.toSorted() });
  return events.flatMap(({ event, traceparent }, index): WorkflowCall[] => {
    const { service, userVersion = 0 } = event.data;
    const copy = copies[index];
    if (copy === undefined)
      throw new PoisonError<ConfirmationCause>('unknown_user', 'The event is about a user that does not exist here.');
    if (copy.isDeleted && (!copy.isKept || (copy.isEnded && !reopened.includes(copy.userId)))) return [];
    if (!copy.isKept)
      throw new PoisonError<ConfirmationCause>('unknown_service', `The user is not synchronised to "${service}".`);
    if (userVersion > copy.version) {
      throw new PoisonError<ConfirmationCause>(
        'unknown_version',
        `Version ${userVersion} was never published; the current one is ${copy.version}.`,
      );
    }
    return [
      {
        tenantId,
        kind: 'signal_with_start',
        workflowType: USER_SYNC_WORKFLOW,
        workflowId: userSyncWorkflowId(copy.userId),
        input: { tenantId, userId: copy.userId },
        signal: signalOf(event),
        traceparent,
      },
    ];
  });
}

/** A service that is not sure whether it has forgotten a user is told of the deletion again, long after it too. */
function reopenedBy(event: SyncEvent, copy: CopyRow | undefined): string[] {
  if (copy === undefined || !copy.isEnded || !copy.isKept) return [];
  const isOfDeletion = event.data.userVersion === copy.version;
  switch (event.type) {
    case TOPICS.syncConfirmed:
      return [];
    case TOPICS.syncFailed:
      return isOfDeletion ? [copy.userId] : [];
    case TOPICS.reconciliationRequest:
      return isOfDeletion ? [] : [copy.userId];
    default:
      return assertNever(event);
  }
}

function parse(message: BusMessage): SyncEvent {
  let json: unknown;
  try {
    json = JSON.parse(message.payload);
  } catch {
    throw new PoisonError<ConfirmationCause>('malformed_event', 'The payload is not JSON.');
  }
  const event = syncEvent.safeParse(json);
  if (!event.success) throw new PoisonError<ConfirmationCause>('malformed_event', z.prettifyError(event.error));
  if (event.data.type !== message.topic)
    throw new PoisonError<ConfirmationCause>(
      'malformed_event',
      `An event of type ${event.data.type} came by the topic ${message.topic}.`,
    );
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
      return {
        name: failedSignal.name,
        arg: {
          service,
          userVersion,
          ...(error === undefined ? {} : { error: toStorableText(error, MAX_ERROR_LENGTH) }),
        },
      };
    }
    case 'sync.user.reconciliation.request': {
      const { service, userVersion } = event.data;
      return {
        name: reconcileSignal.name,
        arg: { service, ...(userVersion === undefined ? {} : { heldVersion: userVersion }) },
      };
    }
  }
}
