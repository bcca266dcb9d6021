import test from 'ava';
import { fileScope } from '../support/file-scope.ts';
import { orderSuite } from './order-suite.ts';

orderSuite({
  test,
  scope: fileScope(),
  mode: 'choreography',
  settings: async () => ({ BUS_POLL_MS: '20', BUS_RETRY_DELAYS_MS: '10,20' }),
});
