// A consumer to be killed: it takes the effect of every message, or of every batch of them, says so, and on STUCK_AT
// never comes back.
import { argv } from 'node:process';
import type { Bus, BusMessage } from '../../src/messaging/bus.ts';
import type { Db } from '../../src/postgres/client.ts';
import { takeEffect, applyEvents } from './effects.ts';

const [, , adapter = '', group = '', topic = '', stuckAt = '', mode = 'each'] = argv;
const module: { connectInProcess: () => { bus: Bus; db: Db } } = await import(adapter);
const { bus, db } = module.connectInProcess();
const say = async (messages: readonly BusMessage[]): Promise<void> => {
  for (const { messageId } of messages) console.log(messageId);
  if (messages.some(({ messageId }) => messageId === stuckAt)) await new Promise(() => {});
};
await bus.subscribe({
  group,
  topics: [topic],
  handle: async (message) => {
    await takeEffect(db, group, message);
    await say([message]);
  },
  ...(mode === 'each'
    ? {}
    : {
        handleBatch: async (messages) => {
          await applyEvents(db, group, messages);
          await say(messages);
        },
      }),
});
