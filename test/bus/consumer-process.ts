// A consumer to be killed: it takes the effect of every message, says so, and on STUCK_AT never comes back.
import { argv } from 'node:process';
import type { Bus } from '../../src/bus/bus.ts';
import type { Db } from '../../src/db/client.ts';
import { takeEffect } from './effects.ts';

const [, , adapter = '', group = '', topic = '', stuckAt = ''] = argv;
const module: { connectInProcess: () => { bus: Bus; db: Db } } = await import(adapter);
const { bus, db } = module.connectInProcess();
await bus.subscribe({
  group, topics: [topic],
  handle: async (message) => {
    await takeEffect(db, group, message);
    console.log(message.messageId);
    if (message.messageId === stuckAt) await new Promise(() => {});
  },
});
