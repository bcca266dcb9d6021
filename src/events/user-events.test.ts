import test from 'ava';
import { EVENTS, TOPICS, userEvent, type UserEventInput } from './user-events.ts';
import { partitionOf } from '../messaging/partition.ts';

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

test("userEvent yields events that their topic's schema accepts", (t) => {
  for (const topic of [TOPICS.userCreated, TOPICS.userUpdated] as const) {
    const message = userEvent({ topic, messageId: 'm1', user: USER, services: ['accounting'] });
    t.like(message, { tenantId: 'acme', messageId: 'm1', topic, key: USER.id });
    t.like(EVENTS[topic].parse(JSON.parse(message.payload)), {
      id: 'm1',
      type: topic,
      subject: USER.id,
      time: '2026-01-02T03:04:05.000Z',
      tenantid: 'acme',
      data: { version: 2, services: ['accounting'], email: USER.email },
    });
  }
});

test('userEvent of a deleted user carries nothing but id, version and who is to confirm it', (t) => {
  const { payload } = userEvent({ topic: TOPICS.userDeleted, messageId: 'm1', user: USER, services: ['accounting'] });
  t.deepEqual(EVENTS[TOPICS.userDeleted].parse(JSON.parse(payload)).data, {
    userId: USER.id,
    version: 2,
    services: ['accounting'],
  });
  t.false(payload.includes(USER.email));
});

test('partitionOf answers what is stored already', (t) => {
  t.deepEqual(
    ['', 'a', 'foobar', USER.id].map((key) => partitionOf(key, 256)),
    [0xc5, 0x2c, 0x68, partitionOf(USER.id, 256)],
  );
  t.true(new Set(Array.from({ length: 200 }, (_, index) => partitionOf(`key${index}`, 8))).size === 8);
});
