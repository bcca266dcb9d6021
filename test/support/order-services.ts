import { createConsumers } from '../../src/consumers/consumers.ts';
import type { OrderPorts } from '../../src/gateways/default-ports.ts';
import { createBus } from '../../src/messaging/create-bus.ts';
import type { Bus } from '../../src/messaging/bus.ts';
import { parkInDeadLetters } from '../../src/messaging/dead-letters/park.ts';
import { startMessageRelay } from '../../src/messaging/outbox/message-relay.ts';
import type { World } from './world.ts';

/** Runs the relay of messages and every consumer of the product in this process, on the bus that the settings name. */
export async function runServices(
  { scope, db, system, config, logger }: World,
  ports: OrderPorts,
  { only = () => true }: { only?: (group: string) => boolean } = {},
): Promise<Bus> {
  const bus = createBus({
    config,
    pool: system.pool,
    park: parkInDeadLetters(system),
    onError: (error) => logger.warn({ err: error }, 'the bus'),
    onDelivery: ({ group, error }) => {
      if (error !== undefined) logger.warn({ err: error, group }, 'a delivery failed');
    },
  });
  const relay = startMessageRelay({ system, bus, pollMs: config.BUS_POLL_MS });
  const consumers = createConsumers({ db, config, ...ports }).filter(({ group }) => only(group));
  await Promise.all(consumers.map((consumer) => bus.subscribe(consumer)));
  scope.teardown(async () => {
    await relay.stop();
    await bus.close();
  });
  return bus;
}
