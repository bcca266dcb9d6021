import test from 'ava';
import { actingStepOf, isWaiting, type ProcessData, type ProcessDefinition } from '../process/definition.ts';
import { LEDGER, orderProcess, WAREHOUSE } from './order-process.ts';
import { refundProcess } from './refund-process.ts';

/** The steps that leave the process, of one whose data these are. */
function remoteSteps(definition: ProcessDefinition, data: ProcessData): string[] {
  return Object.entries(definition.steps)
    .filter(([step, declared]) => !isWaiting(declared) && actingStepOf(definition, step, data).isRemote === true)
    .map(([step]) => step);
}

const BANK = { name: 'bank', isRemote: true };

test('an order or a refund that names no provider, or a local one, leaves the process with no step', (t) => {
  for (const data of [{}, { payment: LEDGER, shipping: WAREHOUSE }, { payment: null, shipping: 'carrier' }]) {
    t.deepEqual(remoteSteps(orderProcess, data), []);
    t.deepEqual(remoteSteps(refundProcess, data), []);
  }
});

test('exactly the steps of a remote provider leave the process', (t) => {
  t.deepEqual(remoteSteps(orderProcess, { payment: BANK, shipping: WAREHOUSE }), ['process_payment']);
  t.deepEqual(remoteSteps(orderProcess, { payment: LEDGER, shipping: BANK }), ['create_shipment']);
  t.deepEqual(remoteSteps(refundProcess, { payment: BANK }), ['accept_refund', 'pay_back']);
});
