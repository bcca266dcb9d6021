import type { Refusal } from '../../domain/shared/decision.ts';
import type { UserRefusal } from '../../domain/users/codes.ts';
import type { DeciderRun, Kind, Lifecycle } from '../runtime/decider.ts';

const USER_DELETED: Refusal<UserRefusal> = { code: 'user_deleted', detail: 'The user was deleted.' };

const CANCELLATION_REFUSED: Refusal<UserRefusal> = {
  code: 'cancellation_refused',
  detail: 'This workflow ends with its user. Terminate it to have the audit start it again from the row.',
};

/** The lifecycle of what is open for as long as its user is there: `workflow cancel` is recorded and refused. */
export function endsWithUser<K extends Kind>({ queue }: DeciderRun<K>): Pick<Lifecycle<K>, 'cancel' | 'refusalAtEnd'> {
  return {
    cancel: () => queue.refuse({ name: 'cancel' }, CANCELLATION_REFUSED),
    refusalAtEnd: () => USER_DELETED,
  };
}
