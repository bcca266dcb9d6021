import { startApi, type TestApi } from '../support/api.ts';
import { connectDevServer } from '../support/dev-server.ts';
import { temporalAddress } from '../support/services.ts';
import { createWorld } from '../support/user-world.ts';

/** The API with PostgreSQL, Temporal and a worker behind it. */
export async function openFuzzTarget(): Promise<{ api: TestApi; close: () => Promise<void> }> {
  const server = await connectDevServer();
  const world = await createWorld({ ...server, env: { BULK_RATE_PER_SECOND: '100' } });
  const api = await startApi({
    db: world.db,
    temporalAddress: temporalAddress(),
    settings: { TASK_QUEUE: world.config.TASK_QUEUE, COMMAND_TIMEOUT_MS: '20000' },
    streams: { maxAgeMs: 50 }, // an order that waits for its delivery would be followed for long
  });
  return {
    api,
    close: async () => {
      await api.close();
      await world.close();
      await server.connection.close();
    },
  };
}
