import type { Client } from '@temporalio/client';
import type { Express } from 'express';
import type { Logger } from 'pino';
import { createApp } from '../api/app.ts';
import type { ApiDeps } from '../api/http/deps.ts';
import { createTurns } from '../api/http/turns.ts';
import { COMMANDS_AT_ONCE } from '../api/http/workflow-commands.ts';
import { replayHandlers, settlingHandlers } from '../api/operations/replay-handlers.ts';
import { createSubjectHash } from '../auth/subject-hash.ts';
import { createTokenVerifier } from '../auth/tokens.ts';
import type { Config } from '../config/config.ts';
import { orderProviders, type OrderPorts } from '../gateways/default-ports.ts';
import type { Bus } from '../messaging/bus.ts';
import { createReplayer } from '../messaging/dead-letters/replay.ts';
import type { NotificationGateways } from '../notifications/channels.ts';
import type { Db } from '../postgres/client.ts';
import { lostOrders } from '../db/orders/order-readers.ts';
import { createEventFeed, type EventFeed, type EventFeedOptions } from '../realtime/event-feed.ts';
import { createStreamBudget } from '../realtime/stream-budget.ts';

/** What the API is made of. */
export interface ApiParts extends Pick<ApiDeps, 'metrics' | 'wakeOutboxRelay' | 'isDatabaseChecked' | 'checkAnswers'> {
  readonly config: Config;
  readonly db: Db;
  readonly client: Client;
  readonly bus: Pick<Bus, 'publish' | 'isHealthy'>;
  readonly gateways: NotificationGateways & OrderPorts;
  readonly logger: Logger;
  readonly streams?: Partial<EventFeedOptions>;
}

/** Makes the API as the product serves it; `events` is to be stopped before the server. */
export async function createApi({
  config,
  db,
  client,
  bus,
  gateways: { mail, sms, ...ports },
  logger,
  streams = {},
  ...deps
}: ApiParts): Promise<{ app: Express; events: EventFeed }> {
  const events = createEventFeed({
    pool: db.pool,
    pollMs: config.BUS_POLL_MS,
    logger,
    budget: createStreamBudget({
      max: config.STREAMS_MAX,
      tenantShare: config.STREAMS_TENANT_SHARE,
      callerShare: config.STREAMS_CALLER_SHARE,
      maxOfUser: config.STREAMS_USER_MAX,
    }),
    lostBy: (readers) => lostOrders(db.pool, readers),
    ...streams,
  });
  const app = createApp({
    ...deps,
    config,
    db,
    temporal: client,
    commandTurns: createTurns(COMMANDS_AT_ONCE),
    orderProviders: orderProviders(ports),
    log: logger,
    events,
    verifyToken: await createTokenVerifier(config),
    subjectHash: await createSubjectHash(config),
    replayer: createReplayer({
      db,
      handlers: replayHandlers({ db, bus, config, mail, sms, ...ports }),
      settling: settlingHandlers(db),
    }),
    isBusHealthy: () => bus.isHealthy(),
  });
  return { app, events };
}
