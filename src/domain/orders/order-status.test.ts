import test from 'ava';
import { PROCESS_STATUSES } from '../process/statuses.ts';
import { DELIVERY_OUTCOMES, orderProcess } from './order-process.ts';
import {
  orderRefusalOf,
  ORDER_STATUS_RULES,
  ORDER_STATUSES,
  orderStatusOf,
  type OrderProgress,
} from './order-status.ts';

const progress = (change: Partial<OrderProgress>): OrderProgress => ({
  status: 'running',
  currentStep: 'validate_order',
  cause: null,
  cancelled: null,
  outcome: null,
  ...change,
});

test('orderStatusOf names the last thing that is done', (t) => {
  const steps = Object.keys(orderProcess.steps);
  t.deepEqual(
    steps.map((currentStep) => orderStatusOf(progress({ currentStep }))),
    ['created', 'validated', 'reserved', 'paid', 'shipped'],
  );
  t.is(orderStatusOf(progress({ status: 'waiting', currentStep: 'await_delivery' })), 'shipped');
  t.is(orderStatusOf(progress({ status: 'step_failed', currentStep: 'create_shipment' })), 'paid');
  t.is(orderStatusOf(progress({ status: 'completed', currentStep: null })), 'completed');
  for (const outcome of ['lost', 'returned'] as const)
    t.is(orderStatusOf(progress({ status: 'completed', currentStep: null, outcome })), outcome);
});

test('orderStatusOf tells a refusal from a failure', (t) => {
  t.is(orderStatusOf(progress({ status: 'compensated', currentStep: null, cause: { class: 'refused' } })), 'refused');
  t.is(orderStatusOf(progress({ status: 'compensated', currentStep: null, cause: { class: 'transient' } })), 'failed');
  t.is(orderStatusOf(progress({ status: 'abandoned', currentStep: null, cause: { class: 'refused' } })), 'failed');
});

test('orderStatusOf says cancelling until everything is undone, unless it was shipped', (t) => {
  const cancelled = { by: 'ada' };
  t.is(orderStatusOf(progress({ cancelled })), 'cancelling');
  t.is(orderStatusOf(progress({ status: 'compensation_failed', currentStep: 'process_payment' })), 'cancelling');
  t.is(orderStatusOf(progress({ status: 'cancelled', currentStep: null, cancelled })), 'cancelled');
  t.is(orderStatusOf(progress({ status: 'waiting', currentStep: 'await_delivery', cancelled })), 'shipped');
});

test("every state of an order's process fits one rule, and every status has one", (t) => {
  const closed = ['completed', 'compensated', 'cancelled', 'abandoned'];
  for (const status of PROCESS_STATUSES) {
    for (const currentStep of closed.includes(status) ? [null] : Object.keys(orderProcess.steps)) {
      for (const cancelled of [null, {}])
        for (const cause of [null, { class: 'refused' as const }])
          for (const outcome of [null, ...DELIVERY_OUTCOMES]) {
            t.notThrows(() => orderStatusOf({ status, currentStep, cancelled, cause, outcome }));
          }
    }
  }
  t.deepEqual(new Set(ORDER_STATUS_RULES.map(({ orderStatus }) => orderStatus)), new Set(ORDER_STATUSES));
});

test("orderRefusalOf shows customers refusals alone, and nobody's reason to cancel", (t) => {
  t.deepEqual(orderRefusalOf({ code: 'out_of_stock', message: 'Sold out.', class: 'refused' }), {
    code: 'out_of_stock',
    message: 'Sold out.',
  });
  t.is(orderRefusalOf({ code: 'step_error', message: 'relation does not exist', class: 'transient' }), null);
  t.deepEqual(orderRefusalOf({ code: 'cancelled', message: 'smells of fraud', class: 'refused' }), {
    code: 'cancelled',
    message: 'The order was cancelled.',
  });
  t.is(orderRefusalOf(null), null);
});
