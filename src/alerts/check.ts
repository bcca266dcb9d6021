import type { Client } from '@temporalio/client';
import type { Config } from '../config/config.ts';
import type { Db } from '../postgres/client.ts';
import type { Finding } from './alert.ts';
import type { AlertKind } from './codes.ts';

/** What checks look at. */
interface CheckDeps {
  readonly db: Db;
  readonly client: Client;
  readonly config: Config;
}

/** One condition that is looked at from time to time. */
export interface Check {
  readonly kind: AlertKind;
  /** Every sighting of the condition; none: it is gone. `unknown`: it can't be told now, so what is open stays open. */
  readonly run: (deps: CheckDeps) => Promise<readonly Finding[] | 'unknown'>;
}

/** How long a check waits for an answer of Temporal. */
export const TEMPORAL_DEADLINE_MS = 3_000;
