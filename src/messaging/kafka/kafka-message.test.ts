import type { KafkaRecord } from '@platformatic/kafka';
import test from 'ava';
import { PoisonError, type BusMessage } from '../bus.ts';
import { assertPublishable, fromKafka, HEADERS, toKafka } from './kafka-message.ts';

const MESSAGE: BusMessage = {
  tenantId: 'acme',
  messageId: 'm1',
  topic: 'user.created',
  key: 'u1',
  payload: '{"specversion":"1.0","name":"Zoë"}',
};
const PLACE = { topic: 'sync.user.confirmed', partition: 3, offset: 42n };

function record(parts: { key?: Buffer | null; value?: Buffer | null; headers?: KafkaRecord['headers'] }): KafkaRecord {
  return {
    length: 0,
    attributes: 0,
    timestampDelta: 0n,
    offsetDelta: 0,
    key: null,
    value: null,
    headers: [],
    ...parts,
  };
}

function header(name: string, value: Buffer | string | null): KafkaRecord['headers'][number] {
  return [Buffer.from(name), value === null ? null : Buffer.from(value)];
}

test('fromKafka reads what toKafka wrote', (t) => {
  const { key, value, headers } = toKafka(MESSAGE);
  const written = record({ key: key!, value: value!, headers: headers instanceof Map ? [...headers] : [] });
  t.deepEqual(fromKafka(written, { ...PLACE, topic: MESSAGE.topic }, 'default'), MESSAGE);
});

test('toKafka calls a CloudEvent by its media type', (t) => {
  const typeOf = (payload: string): string => {
    const { headers } = toKafka({ ...MESSAGE, payload });
    return headers instanceof Map
      ? String([...headers].find(([name]) => name.toString() === HEADERS.contentType)?.[1])
      : '';
  };
  t.is(typeOf(MESSAGE.payload), 'application/cloudevents+json; charset=utf-8');
  t.is(typeOf('{}'), 'application/json; charset=utf-8');
});

test('fromKafka makes up what a stranger leaves out', (t) => {
  t.deepEqual(fromKafka(record({}), PLACE, 'default'), {
    tenantId: 'default',
    messageId: 'sync.user.confirmed/3/42',
    topic: PLACE.topic,
    key: '',
    payload: '',
  });
});

test('fromKafka takes the tenant from the header, else from the event', (t) => {
  const value = Buffer.from('{"tenantid":"acme"}');
  t.is(fromKafka(record({ value }), PLACE, 'default').tenantId, 'acme');
  t.is(fromKafka(record({ value, headers: [header(HEADERS.tenantId, 'other')] }), PLACE, 'default').tenantId, 'other');
});

test('fromKafka lets no stranger speak for every tenant', (t) => {
  const headers = [header(HEADERS.tenantId, '*')];
  t.is(fromKafka(record({ headers, value: Buffer.from('{"tenantid":"*"}') }), PLACE, 'default').tenantId, 'default');
});

test('fromKafka keeps no id or key that a row could not have', (t) => {
  for (const odd of ['', '\0', 'x'.repeat(301), null, Buffer.from([0xff])]) {
    const headers = [header(HEADERS.tenantId, odd), header(HEADERS.messageId, odd)];
    t.like(fromKafka(record({ headers }), PLACE, 'default'), {
      tenantId: 'default',
      messageId: 'sync.user.confirmed/3/42',
    });
  }
  t.is(fromKafka(record({ key: Buffer.from('\0key') }), PLACE, 'default').key, ' key');
});

test('fromKafka loses no byte of what is not text', (t) => {
  const { payload } = fromKafka(record({ value: Buffer.from([0xff, 0x00, 0x7b]) }), PLACE, 'default');
  t.deepEqual([...Buffer.from(payload.split('base64,')[1]!, 'base64')], [0xff, 0x00, 0x7b]);
});

for (const [what, message] of [
  ['names no tenant', { tenantId: '' }],
  ['names every tenant', { tenantId: '*' }],
  ['lacks its id', { messageId: '' }],
  ['has a topic that no broker takes', { topic: 'user created' }],
  ['has a topic that is a folder', { topic: '..' }],
  ['has a NUL', { payload: '\0' }],
  ['is too large', { payload: 'x'.repeat(1_000_001) }],
  ['has a key that is too large', { key: 'é'.repeat(600_000) }],
] as const) {
  test(`assertPublishable refuses a message that ${what}`, (t) => {
    t.throws(() => assertPublishable({ ...MESSAGE, ...message }), { instanceOf: PoisonError });
  });
}

test('assertPublishable takes the largest message that every adapter takes', (t) => {
  t.notThrows(() => assertPublishable({ ...MESSAGE, payload: 'x'.repeat(1_000_000) }));
});
