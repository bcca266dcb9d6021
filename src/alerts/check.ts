import type { Client } from '@temporalio/client';
import type { Config } from '../config/config.ts';
import type { SystemDb } from '../postgres/client.ts';
import type { Finding } from '../domain/alerts/finding.ts';
import type { AlertKind } from '../domain/alerts/codes.ts';

/** What checks are given. */
interface CheckDeps {
  readonly system: SystemDb;
  readonly client: Client;
  readonly config: Config;
}

/** One condition that is checked from time to time. */
export interface Check {
  readonly kind: AlertKind;
  /**
   * Every observation of the condition. None: it is gone, and its open alerts are resolved. `unknown`: it can't be
   * checked now, so that open alerts stay open.
   */
  readonly run: (deps: CheckDeps) => Promise<readonly Finding[] | 'unknown'>;
}

/** How long a check waits for an answer of Temporal. */
export const TEMPORAL_DEADLINE_MS = 3_000;
