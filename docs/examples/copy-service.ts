// Another team's service that keeps a copy of users: node_modules/.bin/node docs/examples/copy-service.ts accounting
// oxlint-disable no-console -- it shows what it does
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { BusMessage } from '../../src/messaging/bus.ts';
import { EVENTS, TOPICS } from '../../src/events/user-events.ts';
import { parkInDeadLetters } from '../../src/messaging/dead-letters/park.ts';
import { createPostgresBus } from '../../src/messaging/postgres/postgres-bus.ts';
import { loadProcessConfig } from '../../src/config/config.ts';
import { openSystemDb } from '../../src/postgres/client.ts';

const service = process.argv[2] ?? 'accounting';
const {
  SYSTEM_DATABASE_URL: url,
  BUS_PARTITIONS: partitions,
  BUS_POLL_MS: pollMs,
  BUS_RETRY_DELAYS_MS: retryDelaysMs,
} = loadProcessConfig();
if (url === undefined) throw new Error('Set SYSTEM_DATABASE_URL, as docs/tour.md does.');
const system = openSystemDb({ url, poolSize: 5, applicationName: service });
const bus = createPostgresBus({
  pool: system.pool,
  park: parkInDeadLetters(system),
  partitions,
  pollMs,
  retryDelaysMs,
});

const userEvent = z.discriminatedUnion('type', [
  EVENTS[TOPICS.userCreated],
  EVENTS[TOPICS.userUpdated],
  EVENTS[TOPICS.userDeleted],
]);
const copies = new Map<string, number>(); // user id → version; a real service writes a table

await bus.subscribe({
  group: service,
  topics: [TOPICS.userCreated, TOPICS.userUpdated, TOPICS.userDeleted],
  handle: async ({ tenantId, payload }) => {
    const { type, data } = userEvent.parse(JSON.parse(payload));
    const isAsked = data.services?.includes(service) ?? false;
    if (type === 'user.deleted') copies.delete(data.userId);
    // Upsert: a created may follow an updated
    else if (isAsked) copies.set(data.userId, Math.max(data.version, copies.get(data.userId) ?? 0));
    if (!isAsked) return;
    console.log(`${service}: ${type}, version ${data.version}`);
    await bus.publish([confirmation(tenantId, data.userId, data.version)]);
  },
});
console.log(`${service} listens; Ctrl-C ends it.`);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void bus.close().then(() => system.close()));

function confirmation(tenantId: string, userId: string, userVersion: number): BusMessage {
  const id = randomUUID();
  const event = {
    specversion: '1.0',
    id,
    source: `/services/${service}`,
    type: TOPICS.syncConfirmed,
    tenantid: tenantId,
    time: new Date().toISOString(),
    data: { userId, service, userVersion },
  };
  return { tenantId, messageId: id, topic: event.type, key: userId, payload: JSON.stringify(event) };
}
