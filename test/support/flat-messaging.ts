import { randomUUID } from 'node:crypto';
import { firstTimes, once } from '../../src/messaging/inbox.ts';
import { horizonLag, readerLagMs } from '../../src/messaging/log/log-lag.ts';
import { saveCursors } from '../../src/messaging/log/log-leases.ts';
import { lockStreams } from '../../src/messaging/log/lock-streams.ts';
import { LOGS } from '../../src/db/logs.ts';
import { readLog, usedPartitions } from '../../src/messaging/log/log.ts';
import { enqueueMessages, MESSAGE_OUTBOX } from '../../src/messaging/outbox/message-outbox.ts';
import {
  claimCalls,
  enqueueCalls,
  hasWaitingCalls,
  postponeCalls,
  removeCalls,
} from '../../src/messaging/outbox/workflow-outbox.ts';
import { parkDeadLetter } from '../../src/messaging/dead-letters/dead-letters.ts';
import { dueAlerts, takeForDelivery } from '../../src/db/alerts/alert-deliveries.ts';
import { clearAlert, raiseAlert } from '../../src/db/alerts/raise-alert.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import { flatCase, type FlatCase } from './flat-case.ts';
import { LARGE_TENANT as tenantId } from './large-tenant.ts';

const BATCH = 20;
const START = { xid: '0', position: '0' };

/** What the outboxes, the logs and those who read them do. */
export const MESSAGING_CASES: readonly FlatCase[] = [
  flatCase('promise calls', 5, (db) =>
    rawTransaction(db.pool, tenantId, (client) =>
      enqueueCalls(client, [{ tenantId, kind: 'start', workflowType: 'x', workflowId: randomUUID(), input: {} }]),
    ),
  ),
  flatCase('claim promised calls, put some back and remove the others', 4 * BATCH, async (_db, system) => {
    const claimed = await claimCalls(system.pool, BATCH);
    await postponeCalls(
      system.pool,
      claimed.slice(0, BATCH / 2).map((row) => ({ row, error: new Error('away') })),
    );
    await removeCalls(system.pool, claimed.slice(BATCH / 2));
  }),
  flatCase('ask whether a call waits', 1, (db) => hasWaitingCalls(db.pool, { tenantId, workflowId: 'order:x' })),
  flatCase('write messages and note them in the inbox', 5, (db) =>
    rawTransaction(db.pool, tenantId, async (client) => {
      await lockStreams(client, ['key']);
      await enqueueMessages(client, [{ tenantId, messageId: randomUUID(), topic: 't', key: 'key', payload: '{}' }]);
      await firstTimes(client, { tenantId, consumer: 'test', messageIds: [randomUUID(), randomUUID()] });
    }),
  ),
  flatCase('note a message in the inbox', 1, (db) =>
    db.inTenant(tenantId, (tx) => once(tx, { tenantId, consumer: 'test', messageId: randomUUID() })),
  ),
  ...LOGS.map((log) =>
    flatCase(`read ${log.table}`, BATCH * 2, (_db, system) =>
      readLog(system.pool, {
        log,
        columns: ['tenant_id'],
        limit: BATCH,
        from: [0, 1].map((partition) => ({ partition, cursor: START })),
      }),
    ),
  ),
  flatCase('save cursors', 8, (_db, system) =>
    saveCursors(system.pool, {
      reader: 'outgoing-relay',
      member: 'me',
      release: false,
      cursors: [{ partition: 0, cursor: { epoch: 1, ...START } }],
    }),
  ),
  flatCase('look how far readers of logs are behind', 60, async (_db, system) => {
    await usedPartitions(system.pool, MESSAGE_OUTBOX);
    await horizonLag(system, LOGS);
    await readerLagMs(system, { reader: 'outgoing-relay', log: MESSAGE_OUTBOX });
  }),
  flatCase('park a message', 2, (db) =>
    db.inTenant(tenantId, (tx) =>
      parkDeadLetter(tx, {
        tenantId,
        source: 's',
        type: 't',
        cause: 'c',
        detail: 'd',
        messageId: randomUUID(),
        key: 'k',
        payload: '{}',
      }),
    ),
  ),
  {
    name: 'deliver an alert',
    asked: 3,
    prepare: async (db, system) => {
      const finding = { tenantId, kind: 'no_worker', key: randomUUID() };
      const raise = () =>
        db.inTenant(tenantId, (tx) =>
          raiseAlert(tx, { ...finding, severity: 'warning', summary: 's', details: {} }, ['webhook']),
        );
      await raise();
      await db.inTenant(tenantId, (tx) => clearAlert(tx, finding));
      const { id } = await raise();
      return async () => {
        await dueAlerts(system, 1);
        await takeForDelivery(system, { tenantId, id }, new Date());
      };
    },
  },
  flatCase('raise an alert', 2, (db) =>
    db.inTenant(tenantId, (tx) =>
      raiseAlert(
        tx,
        { tenantId, kind: 'no_worker', key: randomUUID(), severity: 'warning', summary: 's', details: {} },
        [],
      ),
    ),
  ),
];
