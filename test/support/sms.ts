import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

/** A request as the receiver took it. */
export interface ReceivedSms {
  readonly idempotencyKey: string;
  /** Whether it was signed with the receiver's secret, a moment ago. */
  readonly isAuthentic: boolean;
  readonly body: unknown;
}

/** A receiver of text messages, for tests. */
export interface SmsReceiver {
  readonly url: string;
  readonly port: number;
  /** Every request, whatever was answered. */
  readonly received: ReceivedSms[];
  /** Statuses to answer next, one a request; then 204. */
  readonly answers: number[];
  close(): Promise<void>;
}

/** Starts a receiver that checks signatures as docs/sms.md says. */
export async function startSmsReceiver({ secret, port = 0 }: { secret: string; port?: number }): Promise<SmsReceiver> {
  const received: ReceivedSms[] = [];
  const answers: number[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const json: unknown = JSON.parse(body);
      received.push({
        idempotencyKey: header(request, 'idempotency-key'),
        isAuthentic: isAuthentic(request, body, secret),
        body: json,
      });
      response.writeHead(answers.shift() ?? 204, { location: '/elsewhere' }).end();
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the receiver has no port');
  return {
    url: `http://127.0.0.1:${address.port}/sms`,
    port: address.port,
    received,
    answers,
    close: async () => {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

function isAuthentic(request: IncomingMessage, body: string, secret: string): boolean {
  const timestamp = header(request, 'x-steadfast-timestamp');
  const expected = Buffer.from(`v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`);
  const given = Buffer.from(header(request, 'x-steadfast-signature'));
  const isFresh = Math.abs(Date.now() / 1_000 - Number(timestamp)) < 300;
  return isFresh && given.length === expected.length && timingSafeEqual(given, expected);
}

function header({ headers }: IncomingMessage, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}
