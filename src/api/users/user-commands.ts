import { setTimeout as wait } from 'node:timers/promises';
import type { UpdateDefinition } from '@temporalio/common';
import type { TenantPool } from '../../postgres/pool.ts';
import { hasWaitingCalls } from '../../messaging/outbox/workflow-outbox.ts';
import {
  findSyncedUser,
  findUser,
  hasOpenCopies,
  userExists,
  type UserKey,
  type UserRow,
} from '../../db/users/users.ts';
import { PROFILE_WORKFLOW, profileWorkflowId } from '../../workflows/profile/profile.messages.ts';
import { USER_SYNC_WORKFLOW, userSyncWorkflowId } from '../../workflows/user-sync/user-sync.messages.ts';
import { sendCommand } from '../http/workflow-commands.ts';
import { Problem } from '../http/problem.ts';
import { requireOwn, type Call } from '../http/route.ts';

type UserCall = Pick<Call, 'deps' | 'caller' | 'self' | 'effectId'> & { readonly params: { readonly userId: string } };

const OUTBOX_WAIT_MS = 1_000;
const OUTBOX_POLL_MS = 25;

/** Which of a user's two workflows a command is for. */
export type UserWorkflow = 'profile' | 'userSync';

/** Sends a command about a user to one of its workflows, and answers what the workflow answered. */
export async function commandUser<Answer, Args extends [] | [object]>(
  { deps, caller, self, effectId, params: { userId } }: UserCall,
  workflow: UserWorkflow,
  update: UpdateDefinition<Answer | null, Args>,
  args: Args,
): Promise<Answer> {
  const { tenantId } = caller;
  requireOwn({ caller, self }, userId);
  if (!(await isOpen(workflow, deps.db.pool, { tenantId, userId }))) throw new Problem('user_not_found');
  const target =
    workflow === 'profile'
      ? { workflowType: PROFILE_WORKFLOW, workflowId: profileWorkflowId(userId) }
      : { workflowType: USER_SYNC_WORKFLOW, workflowId: userSyncWorkflowId(userId) };
  if (workflow === 'userSync') await afterWaitingCalls(deps, { tenantId, workflowId: target.workflowId });
  const answer = await sendCommand(
    deps,
    { ...target, input: { tenantId, userId }, updateId: effectId, endedCode: 'user_not_found' },
    update,
    args,
  );
  if (answer === null) throw new Problem('user_not_found'); // the workflow found no user to act on
  return answer;
}

/**
 * Waits until calls in the outbox have reached the user's workflow, so that 'the current version' in a command means
 * the row's. Gives up after a moment: while Temporal is away the command answers 503 itself.
 */
async function afterWaitingCalls(
  { db }: Pick<Call['deps'], 'db'>,
  call: { tenantId: string; workflowId: string },
): Promise<void> {
  const deadline = performance.now() + OUTBOX_WAIT_MS;
  while (performance.now() < deadline && (await hasWaitingCalls(db.pool, call))) await wait(OUTBOX_POLL_MS);
}

/** The user as its row is now, for the answer to a command. */
export async function userAfter({ deps, caller: { tenantId }, params: { userId } }: UserCall): Promise<UserRow> {
  const user = await deps.db.inTenant(tenantId, (tx) => findUser(tx, { tenantId, userId }));
  if (user === undefined) throw new Problem('user_not_found');
  return user;
}

/** The same, also of a user that is deleted, for who may know of its copies. */
export async function copiesAfter({ deps, caller: { tenantId }, params: { userId } }: UserCall): Promise<UserRow> {
  const user = await deps.db.inTenant(tenantId, (tx) => findSyncedUser(tx, { tenantId, userId }));
  if (user === undefined) throw new Problem('user_not_found');
  return user;
}

/** A profile is there until its user is deleted, copies until every service has confirmed that. */
function isOpen(workflow: UserWorkflow, pool: TenantPool, key: UserKey): Promise<boolean> {
  return workflow === 'profile' ? userExists(pool, key) : hasOpenCopies(pool, key);
}
