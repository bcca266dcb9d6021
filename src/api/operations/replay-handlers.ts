import { z } from 'zod';
import type { Bus } from '../../messaging/bus.ts';
import { MESSAGE_RELAY } from '../../messaging/outbox/message-outbox.ts';
import { messageOf, type ReplayDeps, type ReplayHandler } from '../../messaging/dead-letters/replay.ts';
import { PROCESS_LETTERS } from '../../db/processes/park-abandoned.ts';
import { reopenProcess } from '../../db/processes/reopen-process.ts';
import type { OrderPorts } from '../../gateways/default-ports.ts';
import { createConsumers, type ConsumerDeps } from '../../consumers/consumers.ts';
import type { Config } from '../../config/config.ts';
import type { Db } from '../../postgres/client.ts';
import { enqueueCalls, WORKFLOW_RELAY } from '../../messaging/outbox/workflow-outbox.ts';
import type { NotificationGateways } from '../../notifications/channels.ts';
import { createRedelivery } from '../../notifications/redeliver.ts';

const parkedCall = z.object({
  kind: z.enum(['start', 'signal_with_start', 'signal']),
  workflowType: z.string(),
  workflowId: z.string(),
  signalName: z.string().nullable(),
  signalArg: z.record(z.string(), z.unknown()).nullable(),
  input: z.record(z.string(), z.unknown()).nullable(),
});

/** What replays a dead letter and settles it itself, by its source. */
export function settlingHandlers({ pool }: Pick<Db, 'pool'>): NonNullable<ReplayDeps['settling']> {
  return {
    [PROCESS_LETTERS]: (tenantId, { id: letterId, messageId: processId }, decided) =>
      reopenProcess(pool, { tenantId, processId, letterId, ...decided }),
  };
}

/** What replays a dead letter, by its source. */
export function replayHandlers({
  db,
  bus,
  config,
  payments,
  shipping,
  ...gateways
}: {
  db: Db;
  bus: Pick<Bus, 'publish'>;
  config: Pick<Config, 'NOTIFICATIONS_PAUSED'> & ConsumerDeps['config'];
} & NotificationGateways &
  OrderPorts): Readonly<Record<string, ReplayHandler>> {
  const ofConsumers = createConsumers({ db, config, payments, shipping }).map(
    ({ group, handle }): [string, ReplayHandler] => [group, (_tenantId, deadLetter) => handle(messageOf(deadLetter))],
  );
  return {
    ...Object.fromEntries(ofConsumers),
    [MESSAGE_RELAY]: (_tenantId, deadLetter) => bus.publish([messageOf(deadLetter)]),
    // Back into the workflow outbox; its relay makes the call.
    [WORKFLOW_RELAY]: async (tenantId, { payload }) => {
      const { signalName, signalArg, input, ...call } = parkedCall.parse(JSON.parse(payload));
      await db.inTenant(tenantId, (tx) =>
        enqueueCalls(tx, [
          {
            ...call,
            tenantId,
            ...(input === null ? {} : { input }),
            ...(signalName === null
              ? {}
              : { signal: { name: signalName, ...(signalArg === null ? {} : { arg: signalArg }) } }),
          },
        ]),
      );
    },
    notification: createRedelivery({ db, config, ...gateways }),
  };
}
