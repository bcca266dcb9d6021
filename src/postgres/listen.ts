import pg from 'pg';

const RECONNECT_MS = 1_000;

/**
 * Calls `onNotify` with the payload of each notification on `channel`. Only ever a wake-up: notifications are lost
 * while the connection is, so whoever listens polls as well. Returns how to end it.
 */
export function listen(pool: pg.Pool, channel: string, onNotify: (payload: string) => void): () => Promise<void> {
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  // A connection of its own, so that listeners can't use up a small pool.
  const connect = async () => {
    const connection = new pg.Client(pool.options);
    client = connection;
    connection.on('error', () => {}); // followed by 'end'
    connection.on('end', () => {
      if (!stopped) timer = setTimeout(start, RECONNECT_MS);
    });
    connection.on('notification', ({ payload }) => onNotify(payload ?? ''));
    await connection.connect();
    await connection.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    onNotify(''); // for what was missed while nobody listened
  };
  const start = () => {
    connect().catch(() => client?.end().catch(() => {}));
  };

  start();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await client?.end().catch(() => {});
  };
}
