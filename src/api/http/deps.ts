import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { TokenVerifier } from '../../auth/tokens.ts';
import type { Replayer } from '../../messaging/dead-letters/replay.ts';
import type { Config } from '../../config/config.ts';
import type { OrderProviders } from '../../domain/orders/order-process.ts';
import type { SubjectHash } from '../../domain/users/subject-hash.ts';
import type { Db } from '../../postgres/client.ts';
import type { EventFeed } from '../../realtime/event-feed.ts';
import type { Turns } from './turns.ts';

/** What the API is built from. */
export interface ApiDeps {
  readonly config: Config;
  readonly db: Db;
  readonly temporal: Client;
  /** Turns of the commands to each workflow. */
  readonly commandTurns: Turns;
  /** Who takes the payments of orders that are placed now, and who ships them. */
  readonly orderProviders: OrderProviders;
  readonly verifyToken: TokenVerifier;
  readonly subjectHash: SubjectHash;
  readonly log: Logger;
  readonly replayer: Replayer;
  readonly events: EventFeed;
  /** Where the API adds its own metrics. */
  readonly metrics: { readonly registry: Registry };
  readonly isBusHealthy: () => Promise<boolean>;
  /** Wakes the workflow relay; must neither delay nor fail an answer. */
  readonly wakeOutboxRelay: () => void;
  /** Whether it is known that row-level security binds us; until then only health is answered. Left out: it is. */
  readonly isDatabaseChecked?: () => boolean;
  /** Checks answers against their declared schema before they are sent; for tests. */
  readonly checkAnswers?: boolean;
}
