import type { Config } from '../config/config.ts';
import type { SubscribeOptions } from '../messaging/bus.ts';
import type { Db } from '../postgres/client.ts';
import { syncConfirmations } from './user-sync/sync-confirmations.ts';

/** Everybody of ours who listens on the bus; what one parks can be replayed. */
export function createConsumers(deps: { db: Db; config: Pick<Config, 'SYNC_SERVICES'> }): readonly SubscribeOptions[] {
  return [syncConfirmations(deps)];
}
