import { createHash } from 'node:crypto';
import { Context } from '@temporalio/activity';
import type { ClientBase } from 'pg';
import { enqueueMessages } from '../../messaging/outbox/message-outbox.ts';
import { TOPICS, userEvent } from '../../events/user-events.ts';
import type { Config } from '../../config/config.ts';
import { jittered } from '../../domain/shared/spread.ts';
import type { UserSyncSettings } from '../../domain/user-sync/user-sync.ts';
import type { Db } from '../../postgres/client.ts';
import type { User } from '../../postgres/generated/client.ts';
import { lockStreams } from '../../messaging/log/lock-streams.ts';
import { rawTransaction } from '../../postgres/transaction.ts';
import { claimUserSync, writeUserSync } from '../../db/user-sync/user-sync-rows.ts';
import { unlessUnstorable } from '../unless-unstorable.ts';
import type { UserSyncActivities } from '../../workflows/user-sync/user-sync.activities.ts';

/** The settings of user sync for one user: users whose service was away come back at times of their own. */
function userSyncSettings(config: Config, userId: string): UserSyncSettings {
  return {
    retryDelaysMs: config.SYNC_RETRY_DELAYS.map((delayMs, index) =>
      jittered(delayMs, { id: userId, attempt: index + 1 }),
    ),
    maxRetries: config.MAX_SYNC_RETRY_ATTEMPTS,
    confirmationTimeoutMs: config.SYNC_CONFIRMATION_TIMEOUT_MS,
    retryResetMs: config.SYNC_RETRY_RESET_MS,
  };
}

/** The database work of the `userSync` workflow. */
export function createUserSyncActivities({ db, config }: { db: Db; config: Config }): UserSyncActivities {
  return {
    loadUserSyncSettings: async ({ userId }) => userSyncSettings(config, userId),

    loadUserSync: ({ tenantId, userId }) =>
      db.inTenant(tenantId, async (tx) => {
        const settings = userSyncSettings(config, userId);
        const claimed = await claimUserSync(tx, { tenantId, userId, settings });
        return claimed === null ? null : { ...claimed, settings };
      }),

    saveUserSync: ({ tenantId, userId, sync, revision, publishTo, isFirst }) => {
      const settings = userSyncSettings(config, userId);
      return unlessUnstorable(
        { db, config },
        tenantId,
        { isSuperseded: false, settings, version: 0, isDeleted: false },
        () =>
          rawTransaction(db.pool, tenantId, async (client) => {
            await lockStreams(client, [userId]);
            const runId = Context.current().info.workflowExecution?.runId ?? '';
            const { outcome, user } = await writeUserSync(client, { tenantId, userId, sync, revision, writer: runId });
            if ((outcome === 'written' || outcome === 'repeated') && user !== null && publishTo.length > 0) {
              await publish(client, user, { services: publishTo, step: `${runId}:${revision}`, isFirst });
            }
            return {
              isSuperseded: outcome === 'superseded',
              settings,
              version: user?.version ?? sync.version,
              isDeleted: user !== null && user.deletedAt !== null,
            };
          }),
      );
    },
  };
}

/**
 * Writes the user's row to the message outbox. The message id is made of the step and the content, so that a repeated
 * step writes a second message only when the row has changed meanwhile. The first emission is `user.created` even when
 * the user was changed before it, and so are the retries of version 1.
 */
async function publish(
  client: ClientBase,
  user: User,
  { services, step, isFirst }: { services: readonly string[]; step: string; isFirst: boolean },
): Promise<void> {
  const topic = topicOf(user, isFirst);
  const content = createHash('sha256').update(services.join(',')).digest('hex').slice(0, 8);
  await enqueueMessages(client, [
    userEvent({ messageId: `user:${user.id}:${step}:${user.version}:${content}`, topic, user, services }),
  ]);
}

function topicOf(
  { deletedAt, version }: User,
  isFirst: boolean,
): (typeof TOPICS)[`user${'Created' | 'Updated' | 'Deleted'}`] {
  if (deletedAt !== null) return TOPICS.userDeleted;
  return isFirst || version === 1 ? TOPICS.userCreated : TOPICS.userUpdated;
}
