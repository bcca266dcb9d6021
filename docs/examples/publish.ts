// Puts one message on the bus: node_modules/.bin/node docs/examples/publish.ts TOPIC KEY PAYLOAD
import { randomUUID } from 'node:crypto';
import { parkInDeadLetters } from '../../src/messaging/dead-letters/park.ts';
import { createPostgresBus } from '../../src/messaging/postgres/postgres-bus.ts';
import { loadProcessConfig } from '../../src/config/config.ts';
import { openSystemDb } from '../../src/postgres/client.ts';

const [topic = '', key = '', payload = ''] = process.argv.slice(2);
const config = loadProcessConfig();
const { SYSTEM_DATABASE_URL: url } = config;
if (url === undefined) throw new Error('Set SYSTEM_DATABASE_URL, as docs/tour.md does.');
const system = openSystemDb({ url, poolSize: 2, applicationName: 'publish' });
const bus = createPostgresBus({
  pool: system.pool,
  park: parkInDeadLetters(system),
  partitions: config.BUS_PARTITIONS,
  pollMs: config.BUS_POLL_MS,
  retryDelaysMs: [],
});
await bus.publish([{ tenantId: config.DEFAULT_TENANT, messageId: randomUUID(), topic, key, payload }]);
await bus.close();
await system.close();
