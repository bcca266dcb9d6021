import { BUS_LOG } from '../messaging/postgres/bus-log.ts';

/** Where the messages of a topic are: in Kafka under its name, in PostgreSQL rows of the bus. */
export function bindingsOf(topic: string) {
  return {
    bindings: { kafka: { topic, bindingVersion: '0.5.0' } },
    // There is no official binding for a table.
    'x-postgresql': {
      table: BUS_LOG.table,
      where: `topic = '${topic}'`,
      order: ['xid', 'position'],
      partitionedBy: 'key',
    },
  };
}
