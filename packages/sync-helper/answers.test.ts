import test from 'ava';
import { EVENTS, TOPICS } from '../../src/events/user-events.ts';
import { confirmation, failureReport, reconciliationRequest } from './answers.ts';

const service = 'accounting';
const copy = { tenantId: 'acme', userId: '0b0e7a2c-5c1c-4a57-9c3e-3f1f0d1f0a01', userVersion: 2, eventId: 'user:0b:3' };

test('answers are events as their topics promise', (t) => {
  const reports = [
    confirmation({ service, copy }),
    failureReport({ service, copy, error: new Error('no such account') }),
    reconciliationRequest({ service, doubt: { ...copy, reason: 'restored from a backup' } }),
  ] as const;
  for (const { topic, payload, tenantId, key, messageId } of reports) {
    t.deepEqual([tenantId, key], [copy.tenantId, copy.userId]);
    const schema =
      topic === TOPICS.syncConfirmed
        ? EVENTS[TOPICS.syncConfirmed]
        : topic === TOPICS.syncFailed
          ? EVENTS[TOPICS.syncFailed]
          : EVENTS[TOPICS.reconciliationRequest];
    t.like(schema.parse(JSON.parse(payload)), {
      id: messageId,
      type: topic,
      tenantid: 'acme',
      source: '/services/accounting',
      data: { userId: copy.userId, service, userVersion: 2 },
    });
  }
});

test('an answer carries the trace of the event on, without another id', (t) => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const traced = confirmation({ service, copy: { ...copy, traceparent } });
  t.is(EVENTS[TOPICS.syncConfirmed].parse(JSON.parse(traced.payload)).traceparent, traceparent);
  t.is(traced.messageId, confirmation({ service, copy }).messageId);
});

test('an answer to one event has one id, which its service, version, outcome and event make', (t) => {
  const id = (rest: Partial<typeof copy> = {}, name = service) =>
    confirmation({ service: name, copy: { ...copy, ...rest } }).messageId;
  t.is(id(), id());
  const others = [
    id({ tenantId: 'b' }),
    id({ userVersion: 3 }),
    id({ eventId: 'e2' }),
    id({}, 'portfolio'),
    failureReport({ service, copy, error: '' }).messageId,
  ];
  t.is(new Set([id(), ...others]).size, 6);
});

test('an answer that names no event, and each request for reconciliation, is a new one', (t) => {
  const { eventId: _, ...unnamed } = copy;
  t.not(confirmation({ service, copy: unnamed }).messageId, confirmation({ service, copy: unnamed }).messageId);
  const ask = () => reconciliationRequest({ service, doubt: { ...unnamed, reason: '' } }).messageId;
  t.not(ask(), ask());
});

test("failureReport cuts the error's text and blanks personal data out of it", (t) => {
  const text = (error: unknown, personal: string[] = []): unknown =>
    EVENTS[TOPICS.syncFailed].parse(JSON.parse(failureReport({ service, copy, error, personal }).payload)).data.error;
  t.is(text(new Error('x'.repeat(2_000))), 'x'.repeat(1_000));
  t.is(text('no account for (Ada Lovelace), +33 1 23'), 'no account for (Ada Lovelace), +33 1 23');
  t.is(
    text('no account for (Ada Lovelace), +33 1 23', ['Ada', 'Ada Lovelace', '+33 1 23']),
    'no account for ([…]), […]',
  );
  t.is(text('Key (email)=(ada@example.com) exists'), 'Key (email)=([…]) exists');
  t.is(text('mailto:ada@example.com, a@b, @c.d'), 'mailto:[…], a@b, @c.d');
  const before = process.threadCpuUsage();
  for (const unit of ['a', 'a@', 'a@a.', '@.']) text(unit.repeat(1_000_000));
  t.true(process.threadCpuUsage(before).user < 1_000_000, 'time grows with the length alone');
});
