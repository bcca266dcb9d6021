import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { createBank, createCarrier } from './remote-books.ts';
import { remotePorts } from './remote-ports.ts';
import type { Scope } from './scope.ts';

const request = z.object({
  key: z.string(),
  orderId: z.string(),
  customerId: z.string(),
  amountMinor: z.number(),
  currency: z.string(),
  method: z.string(),
});
const call = z.object({ key: z.string(), payment: request });
const address = z.object({
  name: z.string(),
  street: z.string(),
  postalCode: z.string(),
  city: z.string(),
  country: z.string(),
});
const keys = z.object({ keys: z.array(z.string()) });
const orderIds = z.object({ orderIds: z.array(z.string()) });
const listOf = <Each>(each: z.ZodType<Each>) => z.object({ calls: z.array(each) });

/**
 * What goes wrong with one call, as often as it is listed: it never arrives, its answer gets lost, or it takes effect
 * only when `deliverLate` is called, long after its caller gave up.
 */
export interface Loss {
  readonly call: string;
  readonly when: 'before' | 'after' | 'late';
}

/** A bank and a carrier behind HTTP, with books of their own in this process. */
export type RemoteProviders = Awaited<ReturnType<typeof startRemoteProviders>>;

/** Starts them; `onCall` is awaited before a call takes effect. */
export async function startRemoteProviders(
  scope: Scope,
  {
    limitMinor,
    countries,
    onCall = async () => {},
  }: {
    limitMinor: number;
    countries: readonly string[];
    onCall?: (name: string, body: unknown) => Promise<void>;
  },
) {
  const losses: Loss[] = [];
  const late: (() => void)[] = [];
  const bank = createBank({ limitMinor });
  const carrier = createCarrier({ countries });
  const routes = routesOf({ bank, carrier });

  const answer = async (name: string, body: unknown, response: ServerResponse): Promise<void> => {
    const effect = (): unknown => routes[name]?.(body);
    const calls = z.object({ calls: z.array(z.unknown()).optional() }).parse(body).calls;
    const place = calls?.length === 0 ? -1 : losses.findIndex((loss) => name.endsWith(`/${loss.call}`));
    const [loss] = place < 0 ? [] : losses.splice(place, 1);
    if (loss?.when === 'late') {
      late.push(() => void effect());
      return;
    }
    if (loss?.when !== 'before') {
      await onCall(name, body);
      const answered = JSON.stringify(effect());
      if (loss === undefined) return void response.setHeader('Content-Type', 'application/json').end(answered);
    }
    response.destroy();
  };
  const server = createServer((incoming, response) => {
    json(incoming)
      .then((body) => answer((incoming.url ?? '').slice(1), body, response))
      .catch((error: unknown) => response.writeHead(500).end(String(error)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.teardown(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const listening = server.address();
  if (listening === null || typeof listening === 'string') throw new Error('the providers have no port');
  const url = `http://127.0.0.1:${listening.port}`;
  return {
    url,
    losses,
    bank,
    carrier,
    ports: remotePorts(url),
    /** Lets the calls that are late take effect. */
    deliverLate: (): void => {
      for (const effect of late.splice(0)) effect();
    },
  };
}

function routesOf({
  bank,
  carrier,
}: {
  bank: ReturnType<typeof createBank>;
  carrier: ReturnType<typeof createCarrier>;
}): Readonly<Record<string, (body: unknown) => unknown>> {
  return {
    'payments/authorise': (body) => listOf(request).parse(body).calls.map(bank.authorise),
    'payments/capture': (body) => listOf(call).parse(body).calls.map(bank.capture),
    'payments/void': (body) => listOf(call).parse(body).calls.map(bank.void),
    'payments/refund': (body) =>
      listOf(call.extend({ amountMinor: z.number() }))
        .parse(body)
        .calls.map(bank.refund),
    'payments/find': (body) => bank.find(keys.parse(body).keys),
    'payments/findRefunds': (body) => bank.findRefunds(keys.parse(body).keys),
    'shipments/accept': (body) =>
      listOf(z.object({ orderId: z.string(), shipTo: address.nullable() }))
        .parse(body)
        .calls.map(carrier.accept),
    'shipments/cancel': (body) => orderIds.parse(body).orderIds.map(carrier.cancel),
    'shipments/find': (body) => carrier.find(orderIds.parse(body).orderIds),
  };
}
