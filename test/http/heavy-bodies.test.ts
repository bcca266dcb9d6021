import test from 'ava';
import { z } from 'zod';
import { ROUTES } from '../../src/api/routes.ts';
import { heavyBodiesOf } from '../fuzz/heavy-bodies.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { fileScope } from '../support/file-scope.ts';
import { measureShortestHold } from '../support/event-loop.ts';

const LONGEST_HOLD_MS = 50;

const scope = fileScope();
let api: TestApi;
let token: string;
test.before(async () => {
  api = await startApi(scope);
  token = await api.token('admin', 'boss');
});

async function post(method: string, path: string, body: string, key?: string): Promise<number> {
  const response = await fetch(`${api.url}${path}`, {
    method,
    body,
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/json',
      ...(key === undefined ? {} : { 'Idempotency-Key': key }),
    },
  });
  await response.arrayBuffer();
  return response.status;
}

/** A slower machine may take longer, as it does for a body that needs no more than to be read. */
async function longestHoldMs(): Promise<number> {
  const plain = () => post('POST', '/users', `{"name":"${'a'.repeat(99_000)}"}`);
  await plain();
  return Math.max(LONGEST_HOLD_MS, 20 * (await measureShortestHold(plain, 0)).heldMs);
}

for (const { spec } of ROUTES.filter(({ spec: { method } }) => method !== 'get')) {
  const path = spec.path.replace(':name', 'cleanup').replace(/:\w+/, '11111111-1111-1111-1111-111111111111');
  const method = spec.method.toUpperCase();

  test.serial(`${method} ${spec.path} is held up by no body within the limits`, async (t) => {
    const schema = spec.body === undefined ? undefined : z.toJSONSchema(spec.body, { io: 'input' });
    const limitMs = await longestHoldMs();
    for (const [index, text] of heavyBodiesOf(schema, schema?.$defs ?? {}).entries()) {
      const body = text();
      const key = index % 2 === 0 ? undefined : `${spec.operationId}-${index}`;
      const { result: status, heldMs } = await measureShortestHold(() => post(method, path, body, key), limitMs);
      t.true(heldMs <= limitMs, `${heldMs.toFixed(0)} ms: ${body.slice(0, 80)}`);
      t.not(status, 500, body.slice(0, 80));
    }
  });
}
