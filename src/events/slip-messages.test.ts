import test from 'ava';
import type { ProcessEventBody } from '../domain/process/events.ts';
import { PROCESS_TYPES } from '../domain/process/registry.ts';
import type { Cause, ProcessState } from '../domain/process/state.ts';
import { asyncApiDocument } from './asyncapi.ts';
import { SLIP_EVENTS, slipMessages, type SlipMessageType } from './slip-messages.ts';

const NOW = Date.UTC(2026, 0, 1);
const processId = '0b0e7a2c-5c1c-4a57-9c3e-3f1f0d1f0a01';
const cause: Cause = { code: 'sold_out', message: 'Ada has them all.', class: 'refused' };
const decided = { command: 'cancel', by: 'ann', reason: 'Ada asked for it.', at: NOW };
const step = '2:pack';
const fault = { code: 'sold_out', class: 'refused' };
const of = { slipId: processId, leg: step, activity: 'pack', attempts: 1 };

const state: ProcessState = {
  status: 'running',
  currentStep: null,
  data: { itinerary: [step] },
  history: [],
  cause,
  cancelled: null,
  early: {},
  dueAt: null,
  sequence: 1,
  startedAt: NOW,
  updatedAt: NOW,
};

const said = (event: ProcessEventBody, more: Partial<ProcessState> = {}, type = 'routing_slip') =>
  slipMessages({
    tenantId: 'acme',
    processId,
    type,
    state: { ...state, ...more },
    events: [{ ...event, sequence: 7, at: NOW }],
  });
const dataOf = (payload: string): unknown => JSON.parse(payload).data;

const TABLE: readonly (readonly [
  ProcessEventBody,
  Partial<ProcessState>,
  readonly (readonly [SlipMessageType, object])[],
])[] = [
  [{ type: 'StepCompleted', step, attempts: 1, result: {} }, {}, [['RoutingSlipActivityCompleted', of]]],
  [
    { type: 'StepCompleted', step, attempts: 1, result: { itinerary: [step, '3:send'], '3:send': {} } },
    {},
    [
      ['RoutingSlipActivityCompleted', of],
      ['RoutingSlipRevised', { slipId: processId, leg: step, itinerary: [step, '3:send'] }],
    ],
  ],
  [{ type: 'StepFailed', step, attempts: 1, cause }, {}, [['RoutingSlipActivityFaulted', { ...of, fault }]]],
  [{ type: 'StepCompensated', step, attempts: 1 }, {}, [['RoutingSlipActivityCompensated', of]]],
  [
    { type: 'StepCompensationFailed', step, attempts: 1, cause },
    {},
    [['RoutingSlipActivityCompensationFailed', { ...of, fault }]],
  ],
  [{ type: 'ProcessCompleted' }, {}, [['RoutingSlipCompleted', { slipId: processId }]]],
  [{ type: 'ProcessCompensated' }, {}, [['RoutingSlipFaulted', { slipId: processId, fault }]]],
  [{ type: 'ProcessCancelled' }, {}, [['RoutingSlipTerminated', { slipId: processId, status: 'cancelled', fault }]]],
  [
    { type: 'ProcessAbandoned', decided },
    { cause: null },
    [['RoutingSlipTerminated', { slipId: processId, status: 'abandoned', fault: null }]],
  ],
  [{ type: 'StepRegistered', step }, {}, []],
  [{ type: 'CancellationRequested', decided }, {}, []],
  [{ type: 'ProcessReopened', step, decided, dueAt: NOW }, {}, []],
];

for (const [event, more, expected] of TABLE)
  test(`of ${event.type} is said: ${expected.map(([type]) => type).join(', ') || 'nothing'}`, (t) => {
    const messages = said(event, more);
    t.deepEqual(
      messages.map(({ payload }) => [JSON.parse(payload).type, dataOf(payload)]),
      expected.map(([type, data]) => [type, data]),
    );
    for (const [index, { payload, ...message }] of messages.entries()) {
      const [type = 'RoutingSlipCompleted'] = expected[index] ?? [];
      const messageId = `${processId}:7:${type}`;
      t.deepEqual(message, { tenantId: 'acme', messageId, topic: 'routing-slips', key: processId });
      t.notThrows(() => SLIP_EVENTS[type].parse(JSON.parse(payload)));
      t.notRegex(payload, /Ada|ann/, 'what people have typed is not on the bus');
    }
  });

test('something is said of processes that are told alone, whose writers take turns', (t) => {
  t.true(PROCESS_TYPES['routing_slip']?.isTold);
  for (const [type, { isTold = false }] of Object.entries(PROCESS_TYPES))
    t.is(said({ type: 'ProcessCompleted' }, {}, type).length > 0, isTold, type);
});

test('AsyncAPI has each message', (t) => {
  const { components, channels } = asyncApiDocument();
  const types = Object.keys(SLIP_EVENTS);
  t.like(channels, { 'routing-slips': { address: 'routing-slips' } });
  t.deepEqual(
    types.filter((type) => !Object.hasOwn(components.messages, type)),
    [],
  );
});
