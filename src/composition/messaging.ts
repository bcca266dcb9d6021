import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { createConsumers } from '../consumers/consumers.ts';
import type { OrderPorts } from '../gateways/default-ports.ts';
import type { Metrics } from '../maintenance/metrics/metrics.ts';
import { createBus } from '../messaging/create-bus.ts';
import { parkInDeadLetters } from '../messaging/dead-letters/park.ts';
import { startMessageRelay } from '../messaging/outbox/message-relay.ts';
import { createWorkflowRelay } from '../messaging/outbox/workflow-relay.ts';
import type { Db, SystemDb } from '../postgres/client.ts';
import { createOutageLog } from '../telemetry/outage-log.ts';

/** Longer than any pause between two attempts of what reads and relays logs. */
const QUIET_MS = 15_000;

/** What brings messages out of the house and in. */
export interface MessagingDeps {
  readonly config: Config;
  readonly db: Db;
  readonly system: SystemDb;
  readonly client: Client;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'busDeliveries' | 'relayedMessages'>;
  /** Who takes payments and ships for orders that services carry. */
  readonly ports: OrderPorts;
}

/** Starts both relays and every consumer; `stop` ends them after what is in hand. */
export async function startMessaging({
  config,
  db,
  system,
  client,
  logger,
  metrics,
  ports,
}: MessagingDeps): Promise<{ stop(): Promise<void> }> {
  const outages = createOutageLog({
    logger,
    message: 'a log can not be read or relayed; trying again',
    quietMs: QUIET_MS,
  });
  const onError = (error: unknown): void => outages.failed(error);
  const bus = createBus({
    config,
    pool: system.pool,
    park: parkInDeadLetters(system),
    onError,
    onDelivery: ({ group, message: { topic, messageId }, outcome, error }) => {
      metrics.busDeliveries.inc({ group, outcome });
      if (error !== undefined)
        logger.warn({ group, topic, messageId, outcome, err: error }, 'a message could not be handled');
    },
  });
  const workflowRelay = createWorkflowRelay({ system, client, config, logger });
  workflowRelay.start();
  const messageRelay = startMessageRelay({
    system,
    bus,
    pollMs: config.BUS_POLL_MS,
    onError,
    onRelayed: ({ published, parked }) => {
      metrics.relayedMessages.inc({ outcome: 'published' }, published);
      metrics.relayedMessages.inc({ outcome: 'parked' }, parked);
    },
  });
  const consumers = await Promise.all(
    createConsumers({ db, config, ...ports }).map((consumer) => bus.subscribe(consumer)),
  );
  return {
    stop: async () => {
      await Promise.all([...consumers, messageRelay, workflowRelay].map((part) => part.stop()));
      await bus.close();
    },
  };
}
