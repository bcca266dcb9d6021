// oxlint-disable no-console -- it shows what it does
import { createPgStore, createSyncHelper, postgresBus, type Bus } from '@steadfast/sync-helper';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createAccounts, removeAccount, writeAccount } from './accounts.ts';
import { failIfTold, misbehave, misbehavingBus, type Behaviour } from './behaviour.ts';
import { createControl } from './control.ts';
import { setting } from './settings.ts';

const service = setting('SERVICE', 'accounting');
const behaviour: Behaviour = { fail: 0, delayMs: 0, confirmDelayMs: 0, answer: 'once' };
misbehave(behaviour, {
  fail: Number(setting('FAIL', '0')),
  delayMs: Number(setting('DELAY_MS', '0')),
  confirmDelayMs: Number(setting('CONFIRM_DELAY_MS', '0')),
  answer: setting('ANSWER', 'once'),
});

const pool = new pg.Pool({ connectionString: setting('DATABASE_URL'), max: 10 });
pool.on('error', (error) => console.error(error.message)); // an idle connection broke; the next use opens another
const store = createPgStore({ pool });
await createAccounts(pool);
await store.migrate();

const bus = misbehavingBus(await openBus(), behaviour);
const sync = createSyncHelper({ service, bus });
const subscription = await sync.handleUserEvents({
  store,
  onUser: async (user, client) => {
    await sleep(behaviour.delayMs);
    failIfTold(behaviour);
    await writeAccount(user, client);
  },
  // Also without a copy: it is asked to be sure that nothing of the user is here.
  onUserDeleted: async (user, client) => {
    failIfTold(behaviour);
    await removeAccount(user, client);
  },
  onOutcome: ({ outcome, user }) => {
    if (outcome !== 'not_ours') console.log(`${service}: ${outcome} ${user?.userId} version ${user?.userVersion}`);
  },
});
const control = createControl({ pool, sync, behaviour }).listen(Number(setting('PORT', '4001')), '127.0.0.1');
console.log(`${service} listens; Ctrl-C ends it.`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());

async function openBus(): Promise<Bus> {
  const onError = (error: unknown): void => console.error(error);
  const kind = setting('BUS', 'postgres');
  switch (kind) {
    case 'postgres':
      return postgresBus({
        url: setting('BUS_DATABASE_URL'),
        partitions: Number(setting('BUS_PARTITIONS', '8')),
        leaseMs: Number(setting('BUS_LEASE_MS', '10000')),
        applicationName: service,
        onError,
      });
    case 'kafka': {
      const { kafkaBus } = await import('@steadfast/sync-helper/kafka');
      return kafkaBus({ brokers: setting('KAFKA_BROKERS').split(','), clientId: service, onError });
    }
    default:
      throw new Error(`BUS: "${kind}" is neither postgres nor kafka`);
  }
}

async function stop(): Promise<void> {
  await subscription.stop();
  control.close();
  await bus.close();
  await pool.end();
}
