export {
  PoisonError,
  type Bus,
  type BusMessage,
  type MessageHandler,
  type Park,
  type SubscribeOptions,
  type Subscription,
} from '../../src/messaging/bus.ts';
export type { DeliveryOutcome } from '../../src/messaging/delivery.ts';
export type { Doubt } from './answers.ts';
export type { CopyStore, CopyWork, HeldCopy } from './copy-store.ts';
export type { CopyKey, UserCopy } from './copy.ts';
export { EffectRefusedError, InfrastructureError } from './errors.ts';
export type { DeletionStore, KeptDeletion } from './kept-deletions.ts';
export { createMemoryStore } from './memory-store.ts';
export { createPgStore, pgStoreSql, type PgStore } from './pg-store.ts';
export { postgresBus, type PostgresBusSettings } from './postgres-bus.ts';
export { createSyncHelper, type SyncHelper } from './sync-helper.ts';
export type { UserEventHandlers, UserEventOutcome } from './user-events-handler.ts';
export type { DeletedUser, SyncedUser } from './user-events.ts';
