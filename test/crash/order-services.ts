// The services of choreographed orders alone, to be started and killed as `worker.ts` is.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { openDatabases } from '../../src/composition/database.ts';
import { loadProcessConfig } from '../../src/config/config.ts';
import { createConsumers } from '../../src/consumers/consumers.ts';
import { defaultPorts } from '../../src/gateways/default-ports.ts';
import { createBus } from '../../src/messaging/create-bus.ts';
import { parkInDeadLetters } from '../../src/messaging/dead-letters/park.ts';
import { startMessageRelay } from '../../src/messaging/outbox/message-relay.ts';

const config = loadProcessConfig();
const { db, system } = openDatabases(config, 'worker');
const bus = createBus({ config, pool: system.pool, park: parkInDeadLetters(system) });
const relay = startMessageRelay({ system, bus, pollMs: config.BUS_POLL_MS });
const consumers = createConsumers({ db, config, ...defaultPorts(config) });
await Promise.all(consumers.map((consumer) => bus.subscribe(consumer)));
const health = createServer((_, answer) => {
  answer.end();
}).listen(config.WORKER_PORT, '127.0.0.1');
await once(process, 'SIGTERM');
await relay.stop();
await bus.close();
await Promise.all([db.close(), system.close()]);
health.close();
