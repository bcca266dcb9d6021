import type { Log } from '../log/log.ts';

/** How the readers of the bus are named: this, the group, its topics. Policies of `log_cursors` name it, too. */
export const READER_PREFIX = 'bus:';

/** The log that is the bus where there is no broker. */
export const BUS_LOG: Log = {
  table: 'bus_messages',
  readers: { prefix: READER_PREFIX },
  payloadBytes: 'octet_length(t.payload)',
};
