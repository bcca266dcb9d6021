import test from 'ava';
import { orderProcess } from '../orders/order-process.ts';
import { refundProcess } from '../orders/refund-process.ts';
import { stepsAhead } from './timeline.ts';

const underWay = { status: 'running', cause: null, data: { deliveryLimitMs: 1 } } as const;

test('stepsAhead names the declared steps behind the one under way', (t) => {
  t.deepEqual(stepsAhead(orderProcess, { ...underWay, currentStep: 'process_payment' }), [
    'create_shipment',
    'await_delivery',
  ]);
  t.is(stepsAhead(orderProcess, { ...underWay, currentStep: null }).length, 5);
  t.deepEqual(stepsAhead(orderProcess, { ...underWay, currentStep: 'await_delivery' }), []);
});

test('stepsAhead leaves out what the data says is passed over', (t) => {
  t.deepEqual(stepsAhead(refundProcess, { ...underWay, currentStep: 'accept_refund', data: { returnLimitMs: 0 } }), [
    'pay_back',
  ]);
});

test('stepsAhead names nothing for a process that turned back or is over', (t) => {
  t.deepEqual(stepsAhead(orderProcess, { ...underWay, currentStep: 'process_payment', status: 'completed' }), []);
  const cause = { code: 'payment_declined', message: 'No.', class: 'refused' } as const;
  t.deepEqual(
    stepsAhead(orderProcess, { ...underWay, currentStep: 'process_payment', status: 'compensating', cause }),
    [],
  );
});
