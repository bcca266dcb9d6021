import test from 'ava';
import { startApi, type TestApi } from '../support/api.ts';
import { fileScope } from '../support/file-scope.ts';

const scope = fileScope();
let api: TestApi;
test.before(async () => {
  api = await startApi(scope);
});
const admin = { role: 'admin', sub: 'boss' } as const;
const mug = { name: 'Mug', priceMinor: 1_250, currency: 'EUR' };

test('a product is put into the catalogue and changed there, and its stock is left alone', async (t) => {
  const put = await api.ask('PUT', '/products/MUG-1', { ...admin, json: mug });
  t.is(put.status, 201);
  t.is(put.headers.get('Location'), '/products/MUG-1');
  t.like(put.body, { sku: 'MUG-1', ...mug, isActive: true, onHand: 0, reserved: 0, shipped: 0 });
  await api.ask('POST', '/products/MUG-1/stock', { ...admin, json: { received: 7 } });
  const again = await api.ask('PUT', '/products/MUG-1', {
    ...admin,
    json: { ...mug, priceMinor: 1_300, isActive: false },
  });
  t.is(again.status, 200);
  t.like(again.body, { priceMinor: 1_300, isActive: false, onHand: 7 });
  t.deepEqual((await api.ask('GET', '/products/MUG-1', { role: 'service' })).body, again.body);
  t.is((await api.ask('GET', '/products/MUG-1', { ...admin, tenant: 'elsewhere' })).body['code'], 'product_not_found');
});

test('products come in pages in the order of their skus', async (t) => {
  const tenant = 'catalogue';
  for (const sku of ['B', 'A', 'C'])
    await api.ask('PUT', `/products/${sku}`, { ...admin, tenant, json: { ...mug, isActive: sku !== 'B' } });
  const first = await api.ask('GET', '/products?limit=2', { ...admin, tenant });
  t.like(first.body, { items: [{ sku: 'A' }, { sku: 'B' }], nextCursor: 'B' });
  t.like((await api.ask('GET', '/products?limit=2&cursor=B', { ...admin, tenant })).body, {
    items: [{ sku: 'C' }],
    nextCursor: null,
  });
  t.like((await api.ask('GET', '/products?isActive=false', { ...admin, tenant })).body, {
    items: { length: 1, 0: { sku: 'B' } },
  });
});

test('stock is received and corrected, never below what is reserved', async (t) => {
  await api.ask('PUT', '/products/CUP', { ...admin, json: mug });
  const change = (json: object) => api.ask('POST', '/products/CUP/stock', { ...admin, json });
  t.like((await change({ received: 10 })).body, { onHand: 10 });
  t.like((await change({ correction: -3 })).body, { onHand: 7 });
  await api.db.inTenant('default', (tx) =>
    tx.product.update({ where: { tenantId_sku: { tenantId: 'default', sku: 'CUP' } }, data: { reserved: 5 } }),
  );
  const refused = await change({ correction: -3 });
  t.deepEqual([refused.status, refused.body['code']], [409, 'stock_too_low']);
  t.like((await change({ correction: -2 })).body, { onHand: 5 });
  for (const wrong of [{}, { received: 0 }, { received: 1, correction: 1 }, { correction: 1.5 }])
    t.is((await change(wrong)).status, 400, JSON.stringify(wrong));
  t.is(
    (await api.ask('POST', '/products/NONE/stock', { ...admin, json: { received: 1 } })).body['code'],
    'product_not_found',
  );
});

test('stock changes once for an Idempotency-Key, also when the first answer was never kept', async (t) => {
  await api.ask('PUT', '/products/TEA', { ...admin, json: mug });
  const ask = { ...admin, json: { received: 4 }, headers: { 'Idempotency-Key': 'tea' } };
  t.like((await api.ask('POST', '/products/TEA/stock', ask)).body, { onHand: 4 });
  t.like((await api.ask('POST', '/products/TEA/stock', ask)).body, { onHand: 4 });
  await api.db.inTenant('default', (tx) => tx.idempotencyKey.deleteMany({ where: { key: 'tea' } }));
  const repeated = await api.ask('POST', '/products/TEA/stock', ask);
  t.deepEqual([repeated.status, repeated.body['onHand']], [200, 4]);
  t.is((await api.ask('POST', '/products/TEA/stock', { ...admin, json: { received: 4 } })).body['onHand'], 8);
});
