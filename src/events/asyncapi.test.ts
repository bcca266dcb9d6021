import { readFileSync } from 'node:fs';
import ajvModule from 'ajv';
import addFormats from 'ajv-formats';
import test from 'ava';
import fc from 'fast-check';
import { asyncApiDocument } from './asyncapi.ts';
import { z } from 'zod';
import { ORDER_MESSAGES, ORDER_SERVICES } from '../domain/orders/choreographed-order.ts';
import { orderEvent } from './order-messages.ts';
import { SLIP_EVENTS, SLIP_TOPIC } from './slip-messages.ts';
import { EVENTS, TOPICS, userEvent, type UserEventInput } from './user-events.ts';

const Ajv = ajvModule.default;
const document = asyncApiDocument();
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats.default(ajv);
const accepts = Object.fromEntries(
  Object.entries(document.components.messages).map(([topic, { payload }]) => [topic, ajv.compile(payload)]),
);
const TOPIC_NAMES = Object.values(TOPICS);

const USER: UserEventInput['user'] = {
  tenantId: 'acme',
  id: '0b0e7a2c-5c1c-4a57-9c3e-3f1f0d1f0a01',
  authSubject: 'auth|1',
  email: 'ada@example.com',
  name: null,
  locale: 'fr',
  phone: null,
  status: 'active',
  customerId: 'c1',
  customerKind: 'company',
  version: 2,
  updatedAt: new Date('2026-01-02T03:04:05Z'),
};
const about = { userId: USER.id, service: 'accounting' };

/** A message of each topic: ours as `userEvent` makes them, and what services send. */
const MESSAGES: Readonly<Record<keyof typeof EVENTS, object>> = {
  'user.created': sent({ topic: 'user.created', messageId: 'm1', user: USER, services: ['accounting'] }),
  'user.updated': sent({ topic: 'user.updated', messageId: 'm2', user: { ...USER, name: 'Ada' }, services: [] }),
  'user.deleted': sent({ topic: 'user.deleted', messageId: 'm3', user: USER, services: ['accounting'] }),
  'sync.user.confirmed': said('sync.user.confirmed', { ...about, userVersion: 2 }),
  'sync.user.failed': said('sync.user.failed', { ...about, userVersion: 2, error: 'disk full' }),
  'sync.user.reconciliation.request': said('sync.user.reconciliation.request', { ...about, reason: 'restored' }),
};

function sent(input: UserEventInput): object {
  return objectOf(userEvent(input).payload);
}
function said(type: string, data: object): object {
  return {
    specversion: '1.0',
    id: 'e1',
    source: '/services/accounting',
    type,
    time: '2026-01-02T03:04:05+01:00',
    tenantid: 'acme',
    data,
  };
}
function objectOf(json: string): object {
  const value: unknown = JSON.parse(json);
  if (typeof value !== 'object' || value === null) throw new Error('not an object');
  return value;
}

test('asyncApiDocument is a valid AsyncAPI 3.0 document of every topic', (t) => {
  const schema = objectOf(
    readFileSync(new URL('../../node_modules/@asyncapi/specs/schemas/3.0.0.json', import.meta.url), 'utf8'),
  );
  // The schema brings draft 7's own along
  const validator = new Ajv({ strict: false, allErrors: true, meta: false, validateSchema: false });
  addFormats.default(validator);
  const isValid = validator.validate(schema, document);
  t.true(isValid, validator.errorsText());
  const topics = [...TOPIC_NAMES, ...ORDER_SERVICES, SLIP_TOPIC];
  t.deepEqual(
    Object.values(document.channels)
      .map(({ address }) => address)
      .toSorted(),
    topics.toSorted(),
  );
  t.deepEqual(Object.keys(document.operations).length, topics.length);
});

test('every reference of the document leads somewhere', (t) => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path ?? '');
  t.true(references.length >= 2 * TOPIC_NAMES.length);
  for (const path of references) {
    const found = path
      .split('/')
      .reduce<unknown>(
        (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
        document,
      );
    t.not(found, undefined, path);
  }
});

for (const topic of TOPIC_NAMES) {
  test(`the document accepts a real message of ${topic}, and no other topic's does`, (t) => {
    t.true(accepts[topic]?.(MESSAGES[topic]), ajv.errorsText(accepts[topic]?.errors));
    t.deepEqual(
      TOPIC_NAMES.filter((other) => accepts[other]?.(MESSAGES[topic])),
      [topic],
    );
  });

  test(`the document accepts of ${topic} exactly what the code accepts`, (t) => {
    fc.assert(
      fc.property(damaged(MESSAGES[topic]), (message) => {
        t.is(accepts[topic]?.(message), EVENTS[topic].safeParse(message).success, JSON.stringify(message));
      }),
      { seed: 7, numRuns: 2_000 },
    );
  });
}

test('the document accepts every message of a choreographed order, by the topic of its service', (t) => {
  const orderId = USER.id;
  const payment = { customerId: 'c1', amountMinor: 1, currency: 'EUR', method: 'account' };
  const refusal = { code: 'out_of_stock', message: 'There are not enough pieces.' };
  const provider = { name: 'ledger', isRemote: false };
  const items = [{ sku: 'MUG', quantity: 1 }];
  const all = { orderId, ...payment, ...refusal, provider, items, paymentId: 'p1', shipmentId: 's1' };
  for (const type of z.enum(Object.keys(ORDER_MESSAGES)).options) {
    const message = { ...said(type, all), correlationid: orderId, causationid: `${orderId}:OrderCreated` };
    t.true(accepts[type]?.(message), `${type}: ${ajv.errorsText(accepts[type]?.errors)}`);
    t.true(orderEvent.safeParse(message).success, type);
    const { correlationid: _, ...uncorrelated } = message;
    t.false(accepts[type]?.(uncorrelated), type);
  }
});

test('the document accepts every message about a routing slip', (t) => {
  const slipId = USER.id;
  const of = { slipId, leg: '1:pack', activity: 'pack', attempts: 1, itinerary: ['1:pack'] };
  for (const [type, schema] of Object.entries(SLIP_EVENTS))
    for (const fault of [{ code: 'sold_out', class: 'refused' }, null]) {
      const message = { ...said(type, { ...of, status: 'abandoned', fault }), correlationid: slipId };
      t.is(accepts[type]?.(message), schema.safeParse(message).success, `${type} ${JSON.stringify(fault)}`);
      if (fault !== null) t.true(accepts[type]?.(message), `${type}: ${ajv.errorsText(accepts[type]?.errors)}`);
      const { correlationid: _, ...uncorrelated } = message;
      t.false(accepts[type]?.(uncorrelated), type);
    }
});

/** The message with one of its fields, or of its data's, taken away or changed; or as it is. */
function damaged(message: object): fc.Arbitrary<unknown> {
  const values = fc.constantFrom<unknown>(
    null,
    '',
    '*',
    'x',
    'x'.repeat(63),
    'x'.repeat(64),
    'x'.repeat(301),
    0,
    1,
    -1,
    1.5,
    2 ** 31,
    2 ** 31 - 1,
    true,
    [],
    ['accounting'],
    [''],
    {},
    USER.id,
    USER.id.toUpperCase(),
    '2026-02-30T00:00:00Z',
    '2026-02-28T00:00:00Z',
    '2026-02-28T00:00:00+01:00',
    '2026-02-28',
    '1.0',
    'application/json',
    'user.created',
    'company',
    'suspended',
    undefined,
  );
  const data: unknown = Reflect.get(message, 'data');
  const inner = typeof data === 'object' && data !== null ? data : {};
  const field = fc.constantFrom(...Object.keys(message), 'tenantid', 'datacontenttype', 'extra');
  const dataField = fc.constantFrom(...Object.keys(inner), 'error', 'userVersion', 'extra');
  return fc.oneof(
    fc.tuple(field, values).map(([name, value]) => tidy({ ...message, [name]: value })),
    fc.tuple(dataField, values).map(([name, value]) => tidy({ ...message, data: { ...inner, [name]: value } })),
  );
}
/** As JSON carries it. */
function tidy(message: object): unknown {
  return JSON.parse(JSON.stringify(message));
}
