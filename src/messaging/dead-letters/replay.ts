import type { Refusal } from '../../domain/shared/decision.ts';
import type { Db } from '../../postgres/client.ts';
import { holdingLease } from '../../postgres/leases.ts';
import { getDeadLetter, type DeadLetter, type DecidedBy } from './dead-letters.ts';
import { parkingCause, type BusMessage } from '../bus.ts';

/** Repeats what failed; it must be idempotent. */
export type ReplayHandler = (tenantId: string, deadLetter: DeadLetter) => Promise<void>;

/**
 * Replays and settles the dead letter in one transaction, so that nobody finds one done without the other; a refusal
 * leaves it as it is. `not_parked`: somebody else has settled it.
 */
export type SettlingHandler = (
  tenantId: string,
  deadLetter: DeadLetter,
  decided: DecidedBy,
) => Promise<'settled' | 'not_parked' | Refusal>;

/** What became of a replay. */
export type ReplayResult =
  | { readonly outcome: 'replayed'; readonly deadLetter: DeadLetter }
  /** It failed again; the dead letter has the new cause. */
  | { readonly outcome: 'failed'; readonly deadLetter: DeadLetter }
  /** It is not allowed as things stand; the dead letter is as it was. */
  | { readonly outcome: 'refused'; readonly refusal: Refusal }
  /** It was replayed or discarded before. */
  | { readonly outcome: 'not_parked'; readonly deadLetter: DeadLetter }
  | { readonly outcome: 'not_found' }
  /** Another process is replaying it at this moment. */
  | { readonly outcome: 'busy' }
  /** This process can't replay what that source parked. */
  | { readonly outcome: 'no_handler'; readonly deadLetter: DeadLetter };

/** Replays dead letters. */
export interface Replayer {
  readonly replay: (tenantId: string, id: string, by: string, reason?: string) => Promise<ReplayResult>;
}

/** What the replayer is built from: one handler for each source of dead letters, of either kind. */
export interface ReplayDeps {
  readonly db: Db;
  readonly handlers: Readonly<Record<string, ReplayHandler>>;
  readonly settling?: Readonly<Record<string, SettlingHandler>>;
}

/** Builds the replayer. */
export function createReplayer({ db, handlers, settling = {} }: ReplayDeps): Replayer {
  return {
    replay: async (tenantId, id, by, reason) =>
      (await holdingLease(db.pool, `dead-letter:${tenantId}:${id}`, async () => {
        const deadLetter = await db.inTenant(tenantId, (tx) => getDeadLetter(tx, id));
        if (deadLetter === null) return { outcome: 'not_found' };
        if (deadLetter.status !== 'parked') return { outcome: 'not_parked', deadLetter };
        const decided: DecidedBy = { by, reason: reason ?? null };
        const handler = ofSource(handlers, deadLetter);
        if (handler !== undefined) return repeat(db, deadLetter, { handler, decided });
        const settlingHandler = ofSource(settling, deadLetter);
        return settlingHandler === undefined
          ? { outcome: 'no_handler', deadLetter }
          : settle(db, deadLetter, { handler: settlingHandler, decided });
      })) ?? { outcome: 'busy' },
  };
}

function ofSource<Handler>(handlers: Readonly<Record<string, Handler>>, { source }: DeadLetter): Handler | undefined {
  return Object.hasOwn(handlers, source) ? handlers[source] : undefined;
}

/** Does it, then settles the dead letter or gives it the new cause. */
async function repeat(
  db: Db,
  deadLetter: DeadLetter,
  { handler, decided: { by, reason } }: { handler: ReplayHandler; decided: DecidedBy },
): Promise<ReplayResult> {
  const { tenantId, id } = deadLetter;
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
          ? { status: 'replayed', resolvedAt: new Date(), resolvedBy: by, reason }
          : parkingCause(failure.error, 'handler_failed')),
      },
    });
    if (settled === undefined) return { outcome: 'not_parked', deadLetter };
    return { outcome: failure === undefined ? 'replayed' : 'failed', deadLetter: settled };
  });
}

async function settle(
  db: Db,
  deadLetter: DeadLetter,
  { handler, decided }: { handler: SettlingHandler; decided: DecidedBy },
): Promise<ReplayResult> {
  const { tenantId, id } = deadLetter;
  const answer = await handler(tenantId, deadLetter, decided);
  if (typeof answer === 'object') return { outcome: 'refused', refusal: answer };
  const now = (await db.inTenant(tenantId, (tx) => getDeadLetter(tx, id))) ?? deadLetter;
  return { outcome: answer === 'settled' ? 'replayed' : 'not_parked', deadLetter: now };
}

/** The message that a subscription or the message relay parked. */
export function messageOf({ tenantId, messageId, type, key, payload }: DeadLetter): BusMessage {
  return { tenantId, messageId, topic: type, key, payload };
}
