import test from 'ava';
import { priceOrder, type PlacedOrder } from './price-order.ts';

const LIMITS = { maxLines: 2, maxQuantity: 10, maxTotalMinor: 5_000 };
const PRODUCT = { priceMinor: 500, currency: 'EUR', isActive: true };

function order(lines: Partial<PlacedOrder['lines'][number]>[], rest: Partial<PlacedOrder> = {}): PlacedOrder {
  return {
    currency: 'EUR',
    isCustomerActive: true,
    lines: lines.map((line, n) => ({ line: n + 1, sku: `S${n}`, quantity: 1, product: PRODUCT, ...line })),
    ...rest,
  };
}

test('priceOrder adds up our prices', (t) => {
  const lines = [
    { line: 1, unitPriceMinor: 500 },
    { line: 2, unitPriceMinor: 1 },
  ];
  t.deepEqual(priceOrder(order([{ quantity: 3 }, { product: { ...PRODUCT, priceMinor: 1 } }]), LIMITS), {
    isDone: true,
    totalMinor: 1_501,
    lines,
  });
});

test('priceOrder allows exactly as much as the limits say', (t) => {
  t.true(priceOrder(order([{ quantity: 10 }]), LIMITS).isDone);
  t.like(priceOrder(order([{ quantity: 10 }, {}]), LIMITS), { code: 'total_too_large' });
  t.like(priceOrder(order([{ quantity: 11 }]), LIMITS), { code: 'quantity_too_large' });
  t.like(priceOrder(order([{}, {}, {}]), LIMITS), { code: 'too_many_lines' });
});

test('priceOrder names what can not be ordered', (t) => {
  t.like(priceOrder(order([]), LIMITS), { code: 'order_empty' });
  t.like(priceOrder(order([{ product: null }]), LIMITS), {
    code: 'product_not_available',
    message: 'There is no product S0 to be ordered.',
  });
  t.like(priceOrder(order([{ product: { ...PRODUCT, isActive: false } }]), LIMITS), { code: 'product_not_available' });
  t.like(priceOrder(order([{ product: { ...PRODUCT, currency: 'CHF' } }]), LIMITS), { code: 'currency_mismatch' });
  t.like(priceOrder(order([{}], { isCustomerActive: false }), LIMITS), { code: 'customer_not_active' });
});
