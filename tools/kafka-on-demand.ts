import { createServer } from 'node:http';
import { createKafkaBroker, type KafkaBroker } from './kafka-broker.ts';

/**
 * Starts one broker when somebody first asks for it: most runs of a few test files need none. `url` answers with its
 * host:port.
 */
export async function serveKafka(): Promise<{ url: string; stop: () => Promise<void> }> {
  let started: Promise<KafkaBroker> | undefined;
  const start = async (): Promise<KafkaBroker> => {
    // Nobody kills it; where a busy machine lets it say nothing for a second, it must not be shut out for that.
    const broker = await createKafkaBroker({ settings: { 'broker.session.timeout.ms': '9000' } });
    await broker.start();
    return broker;
  };
  const server = createServer((_request, response) => {
    started ??= start();
    started.then(
      ({ address }) => response.end(address),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return {
    url: `http://127.0.0.1:${address.port}`,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await started?.then(
        (broker) => broker.remove(),
        () => undefined,
      );
    },
  };
}
