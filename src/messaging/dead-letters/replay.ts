import type { Db } from '../../postgres/client.ts';
import { holdingLease } from '../../postgres/leases.ts';
import { getDeadLetter, type DeadLetter } from './dead-letters.ts';
import { parkingCause, type BusMessage } from '../bus.ts';

/** Repeats what failed; it must be idempotent. */
export type ReplayHandler = (tenantId: string, deadLetter: DeadLetter) => Promise<void>;

/** What became of a replay. */
export type ReplayResult =
  | { readonly outcome: 'replayed'; readonly deadLetter: DeadLetter }
  /** It failed again; the dead letter has the new cause. */
  | { readonly outcome: 'failed'; readonly deadLetter: DeadLetter }
  /** It was replayed or discarded before. */
  | { readonly outcome: 'not_parked'; readonly deadLetter: DeadLetter }
  | { readonly outcome: 'not_found' }
  /** Another process is replaying it at this moment. */
  | { readonly outcome: 'busy' }
  /** This process can't replay what that source parked. */
  | { readonly outcome: 'no_handler'; readonly deadLetter: DeadLetter };

/** Replays dead letters. */
export interface Replayer {
  readonly replay: (tenantId: string, id: string, by: string) => Promise<ReplayResult>;
}

/** Builds the replayer from one handler for each source of dead letters. */
export function createReplayer({
  db,
  handlers,
}: {
  db: Db;
  handlers: Readonly<Record<string, ReplayHandler>>;
}): Replayer {
  return {
    replay: async (tenantId, id, by) =>
      (await holdingLease(db.pool, `dead-letter:${tenantId}:${id}`, async () => {
        const deadLetter = await db.inTenant(tenantId, (tx) => getDeadLetter(tx, id));
        if (deadLetter === null) return { outcome: 'not_found' };
        if (deadLetter.status !== 'parked') return { outcome: 'not_parked', deadLetter };
        const handler = Object.hasOwn(handlers, deadLetter.source) ? handlers[deadLetter.source] : undefined;
        if (handler === undefined) return { outcome: 'no_handler', deadLetter };
        const failure = await handler(tenantId, deadLetter).then(
          () => undefined,
          (error: unknown) => ({ error }),
        );
        return await db.inTenant(tenantId, async (tx) => {
          const [settled] = await tx.deadLetter.updateManyAndReturn({
            where: { tenantId, id, status: 'parked' },
            data: {
              replays: { increment: 1 },
              ...(failure === undefined
                ? { status: 'replayed', resolvedAt: new Date(), resolvedBy: by }
                : parkingCause(failure.error, 'handler_failed')),
            },
          });
          if (settled === undefined) return { outcome: 'not_parked', deadLetter };
          return { outcome: failure === undefined ? 'replayed' : 'failed', deadLetter: settled };
        });
      })) ?? { outcome: 'busy' },
  };
}

/** The message that a subscription or the message relay parked. */
export function messageOf({ tenantId, messageId, type, key, payload }: DeadLetter): BusMessage {
  return { tenantId, messageId, topic: type, key, payload };
}
