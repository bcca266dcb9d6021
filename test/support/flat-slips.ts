import { randomUUID } from 'node:crypto';
import { insertRoutingSlip } from '../../src/db/routing-slips/send-routing-slip.ts';
import { findRoutingSlip, readLeg, writeDone, writeTaken } from '../../src/db/routing-slips/slip-rows.ts';
import type { Db } from '../../src/postgres/client.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import type { FlatCase } from './flat-case.ts';
import { LARGE_TENANT as tenantId } from './large-tenant.ts';
import { NOW } from './shop.ts';
import { leg, TEST_ACTIVITIES } from './slip-world.ts';

const LEGS = 3;

async function send(db: Db): Promise<string> {
  const processId = randomUUID();
  const itinerary = Array.from({ length: LEGS }, (_, index) => leg('note', { text: `note ${index}` }));
  const slip = { tenantId, processId, service: null, itinerary, variables: {}, now: NOW };
  await insertRoutingSlip(db.pool, TEST_ACTIVITIES, slip);
  return processId;
}

const slipCase = (name: string, work: (db: Db, processId: string) => Promise<unknown>): FlatCase => ({
  name,
  asked: LEGS,
  prepare: async (db) => {
    const processId = await send(db);
    return () => work(db, processId);
  },
});

/** Everything that routing slips do to single ones, besides what all processes do. */
export const SLIP_CASES: readonly FlatCase[] = [
  slipCase('send a routing slip', send),
  slipCase('find a routing slip', (db, processId) => findRoutingSlip(db.pool, { tenantId, processId })),
  slipCase('take a leg, which puts another on the slip', (db, processId) =>
    rawTransaction(db.pool, tenantId, async (client) => {
      const key = { tenantId, processId, number: 1 };
      await readLeg(client, key);
      await writeTaken(client, key, {});
      const added = [leg('note', { text: 'new' })];
      await writeDone(client, key, { taken: {}, kept: {}, variables: { a: 1 }, added, firstNumber: LEGS + 1 });
    }),
  ),
];
