import test from 'ava';
import { refundProcess } from './refund-process.ts';
import { refundStatusOf } from './refund-status.ts';

test('refundStatusOf names what a refund is about', (t) => {
  const steps = Object.keys(refundProcess.steps);
  t.deepEqual(
    steps.map((currentStep) => refundStatusOf({ status: 'running', currentStep, cause: null })),
    ['requested', 'awaiting_goods', 'paying', 'paying'],
  );
  t.is(refundStatusOf({ status: 'completed', currentStep: null, cause: null }), 'paid');
  t.is(refundStatusOf({ status: 'compensation_failed', currentStep: 'accept_refund', cause: null }), 'cancelling');
});

test('refundStatusOf tells a refusal from a failure', (t) => {
  t.is(refundStatusOf({ status: 'compensated', currentStep: null, cause: { class: 'refused' } }), 'refused');
  t.is(refundStatusOf({ status: 'compensated', currentStep: null, cause: { class: 'unknown' } }), 'failed');
  t.is(refundStatusOf({ status: 'abandoned', currentStep: null, cause: null }), 'failed');
});
