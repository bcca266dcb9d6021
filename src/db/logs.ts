import type { Log } from '../messaging/log/log.ts';
import { MESSAGE_OUTBOX } from '../messaging/outbox/message-outbox.ts';
import { BUS_LOG } from '../messaging/postgres/bus-log.ts';

/** Every log of the product: what is pruned, restored and measured. */
export const LOGS: readonly Log[] = [MESSAGE_OUTBOX, BUS_LOG];
