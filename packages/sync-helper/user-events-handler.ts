import { PoisonError, type Bus, type BusMessage, type MessageHandler } from '../../src/messaging/bus.ts';
import { confirmation, failureReport } from './answers.ts';
import type { CopyStore, HeldCopy } from './copy-store.ts';
import type { UserCopy } from './copy.ts';
import { heldAfter, judge, type CopyEvent, type Verdict } from './held-copy.ts';
import { EffectRefusedError, infrastructureError } from './errors.ts';
import { copyNamedBy, parseUserEvent, type DeletedUser, type SyncedUser } from './user-events.ts';

/** What became of an event; for logs and metrics. */
export type UserEventOutcome =
  /** `onUser` took it over; confirmed. */
  | 'confirmed'
  /** It took effect before; confirmed again. */
  | 'confirmed_again'
  /** `onUser` threw; reported. */
  | 'failed'
  /** Older than what is held; reported as not taken over. */
  | 'stale'
  /** `onUserDeleted` removed it. */
  | 'deleted'
  | 'deleted_before'
  /** `onUserDeleted` threw; kept in the store to be tried again, and reported. */
  | 'deletion_kept'
  /** Not for this service. */
  | 'not_ours'
  /** Not an event that the topic promises; reported if it names a user, and parked. */
  | 'malformed';

/** What a service does with users. */
export interface UserEventHandlers<Context> {
  readonly store: CopyStore<Context>;
  /**
   * Writes the user over whatever is held: once for each event, and the same version comes again in another event after
   * a retry or a forced sync. Throwing reports a failure; the event comes again by Steadfast's retry delays.
   */
  readonly onUser: (user: SyncedUser, context: Context) => Promise<void>;
  /** Removes the user, held or not. Throwing has it tried again, for as long as it takes. */
  readonly onUserDeleted: (user: DeletedUser, context: Context) => Promise<void>;
  /** Told of each event that was dealt with. */
  readonly onOutcome?: (handled: {
    readonly outcome: UserEventOutcome;
    readonly user?: UserCopy;
    readonly error?: unknown;
  }) => void;
}

/** What a service does with what it is told of users. */
export interface UserEventsHandler {
  /** The idempotent consumer of the events: the effect once, and an answer to each. */
  readonly handle: MessageHandler;
  /** Has the effect of a deletion, once, and answers it. */
  readonly remove: (user: DeletedUser) => Promise<void>;
}

/** Makes the consumer of the events about users. */
export function createUserEventsHandler<Context>({
  service,
  bus,
  store,
  onUser,
  onUserDeleted,
  onOutcome = () => {},
}: UserEventHandlers<Context> & { service: string; bus: Pick<Bus, 'publish'> }): UserEventsHandler {
  const answer = (message: ReturnType<typeof confirmation>): Promise<void> =>
    bus.publish([message]).catch((error: unknown) => {
      throw infrastructureError('publishing an answer', error);
    });

  async function takeOver(user: SyncedUser): Promise<void> {
    const taken = await withRecord(store, { ...user, isDeletion: false }, (context) => onUser(user, context));
    if (taken.kind === 'new' || taken.kind === 'repeated') {
      await answer(confirmation({ service, copy: user }));
      return onOutcome({ outcome: taken.kind === 'new' ? 'confirmed' : 'confirmed_again', user });
    }
    // A stale version is not what is held, so it must not be confirmed. Steadfast ignores the report while its version
    // is newer; had it been restored to an older state, the report tells its operators why that version is refused.
    const error = taken.kind === 'stale' ? new Error(refusal(user, taken.held)) : taken.error;
    await answer(failureReport({ service, copy: user, error, personal: personalData(user) }));
    onOutcome({ outcome: taken.kind, user, error });
  }

  async function remove(user: DeletedUser): Promise<void> {
    const taken = await withRecord(store, { ...user, isDeletion: true }, (context) => onUserDeleted(user, context));
    if (taken.kind === 'failed') return keep(user, taken.error);
    if (user.isAsked) await answer(confirmation({ service, copy: user }));
    await inStore(store.deletions?.done(user));
    onOutcome({ outcome: taken.kind === 'new' ? 'deleted' : 'deleted_before', user });
  }

  /** Keeps a deletion that failed, to be tried again beside what else comes; the report saves the wait for it. */
  async function keep(user: DeletedUser, error: unknown): Promise<void> {
    if (store.deletions === undefined) throw error;
    await inStore(store.deletions.keep(user));
    if (user.isAsked) await answer(failureReport({ service, copy: user, error }));
    onOutcome({ outcome: 'deletion_kept', user, error });
  }

  async function handle(message: BusMessage): Promise<void> {
    try {
      const event = parseUserEvent(message, service);
      switch (event.kind) {
        case 'user':
          return await takeOver(event.user);
        case 'deleted':
          return await remove(event.user);
        case 'not_ours':
          return onOutcome({ outcome: 'not_ours' });
      }
    } catch (error) {
      if (!(error instanceof PoisonError)) throw error;
      const copy = copyNamedBy(message, service);
      if (copy !== undefined)
        await answer(
          failureReport({ service, copy, error: new Error(`${error.code}: the event is not what its topic promises`) }),
        );
      onOutcome({ outcome: 'malformed', error, ...(copy === undefined ? {} : { user: copy }) });
      throw error;
    }
  }

  return { handle, remove };
}

async function inStore(work: Promise<void> | undefined): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw infrastructureError('the store', error);
  }
}

/** Judges the event and, if it is new, has its effect and records it in one go. */
async function withRecord<Context>(
  store: CopyStore<Context>,
  event: CopyEvent,
  effect: (context: Context) => Promise<void>,
): Promise<Verdict | { readonly kind: 'failed'; readonly error: unknown }> {
  const failures: unknown[] = [];
  const { tenantId, userId } = event;
  try {
    return await store.withCopy(
      { tenantId, userId },
      async (held, context): Promise<{ result: Verdict; next?: HeldCopy }> => {
        const verdict = judge(held, event);
        if (verdict.kind !== 'new') return { result: verdict };
        try {
          await effect(context);
        } catch (error) {
          failures.push(error);
          throw error;
        }
        return { result: verdict, next: heldAfter(held, event) };
      },
    );
  } catch (error) {
    if (failures.includes(error) || error instanceof EffectRefusedError) return { kind: 'failed', error };
    throw infrastructureError('the store', error);
  }
}

function refusal({ userVersion }: UserCopy, held: HeldCopy): string {
  return held.isDeleted
    ? `the user was deleted here at version ${held.userVersion}`
    : `version ${held.userVersion} is held here, which is newer than ${userVersion}`;
}

function personalData({ email, name, phone, authSubject }: SyncedUser): string[] {
  return [email, name, phone, authSubject].filter((value) => value !== null);
}
