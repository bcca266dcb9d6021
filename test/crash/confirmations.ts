import { parkInDeadLetters } from '../../src/messaging/dead-letters/park.ts';
import { TOPICS } from '../../src/events/user-events.ts';
import { createPostgresBus } from '../../src/messaging/postgres/postgres-bus.ts';
import { userSyncWorkflowId } from '../../src/workflows/user-sync/user-sync.messages.ts';
import { read, userOf } from './end-state.ts';
import { SERVICES, TENANT } from './crash-world.ts';
import type { World } from '../support/world.ts';

/** Publishes what each service says once it has the first version of the users. */
export async function confirm({ system }: Pick<World, 'system'>, users: readonly string[]): Promise<void> {
  const bus = createPostgresBus({
    pool: system.pool,
    park: parkInDeadLetters(system),
    partitions: 8,
    pollMs: 1_000,
    retryDelaysMs: [],
  });
  await bus.publish(
    users.flatMap((userId) =>
      SERVICES.map((service) => {
        const id = `${service}:${userId}`;
        const event = {
          specversion: '1.0',
          id,
          source: service,
          type: TOPICS.syncConfirmed,
          data: { userId, service, userVersion: 1 },
        };
        return {
          tenantId: TENANT,
          messageId: id,
          topic: TOPICS.syncConfirmed,
          key: userId,
          payload: JSON.stringify(event),
        };
      }),
    ),
  );
}

/** Whether the user was published. */
export async function isOnBus({ system }: Pick<World, 'system'>, userId: string): Promise<boolean> {
  return (await read(system, (tx) => tx.busMessage.count({ where: { key: userId, topic: TOPICS.userCreated } }))) > 0;
}

/** Whether all services count as confirmed, and nothing more is promised to the workflow. */
export async function isSynced({ system }: Pick<World, 'system'>, userId: string): Promise<boolean> {
  const promised = await read(system, (tx) =>
    tx.pendingStart.count({ where: { workflowId: userSyncWorkflowId(userId) } }),
  );
  return promised === 0 && (await userOf(system, userId)).syncStatus === 'synced';
}
