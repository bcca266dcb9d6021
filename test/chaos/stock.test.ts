import test from 'ava';
import { creditFor, piecesFor, tooFew } from './chaos.ts';

test('stock and credit grow with the orders, so that none is refused for want of them', (t) => {
  for (const orders of [40, 500, 1_500, 10_000]) {
    t.true(piecesFor(orders) * 8 >= orders * 9, `${orders}: all pieces that are ordered are there`);
    t.true(creditFor(orders) * 8 >= orders * 9 * 1_999, `${orders}: all orders can be paid`);
  }
});

test('a run in which fewer than 70 % of the orders complete fails', (t) => {
  t.deepEqual(tooFew({ completed: 995, compensated: 505 }, 1_500), ['only 995 of 1500 orders completed']);
  t.deepEqual(tooFew({ completed: 70, compensated: 30 }, 100), []);
});
