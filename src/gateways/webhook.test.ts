import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import { createWebhookGateway } from './webhook.ts';

const SECRET = 'a secret of the tests';

/** What a receiver gets of one call. */
async function received(t: ExecutionContext, secret?: string): Promise<{ headers: IncomingHttpHeaders; body: string }> {
  const heard = Promise.withResolvers<{ headers: IncomingHttpHeaders; body: string }>();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      response.end();
      heard.resolve({ headers: request.headers, body });
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  await createWebhookGateway({ url: `http://127.0.0.1:${address.port}`, secret }).post({ id: 'one', body: { a: 'é' } });
  return heard.promise;
}

test('a webhook with a secret is signed over its time and its body', async (t) => {
  const { headers, body } = await received(t, SECRET);
  const timestamp = String(headers['x-steadfast-timestamp']);
  t.true(Math.abs(Number(timestamp) * 1_000 - Date.now()) < 60_000);
  const expected = createHmac('sha256', SECRET).update(`${timestamp}.${body}`).digest('hex');
  t.is(headers['x-steadfast-signature'], `v1=${expected}`);
  t.is(headers['idempotency-key'], 'one');
});

test('a webhook without a secret is not signed', async (t) => {
  t.is((await received(t)).headers['x-steadfast-signature'], undefined);
});
