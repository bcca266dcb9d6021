import { z } from 'zod';
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

/** A message among the several types of its topic, and of what it has the id as its key. */
export function messageOf(type: string, { schema, summary, key, of }: Described) {
  const { $schema: _, ...payload } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
  return {
    name: type,
    title: type,
    summary,
    contentType: 'application/json',
    payload,
    bindings: {
      kafka: { key: { type: 'string', description: `The ${of}'s id: ${key}` }, bindingVersion: '0.5.0' },
    },
    'x-postgresql': {
      columns: { tenant_id: 'tenantid', message_id: 'id', key, payload: 'the whole event, as text' },
    },
  };
}

interface Described {
  readonly schema: z.ZodType;
  readonly summary: string;
  /** Where the id is, as in `data.orderId`. */
  readonly key: string;
  readonly of: string;
}
