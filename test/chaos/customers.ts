import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { OrderMode } from '../../src/domain/orders/choreographed-order.ts';
import type { Random } from './random.ts';

/** Sends a request to one of the APIs; rejects when nobody answers. */
export type Send = (
  api: string,
  request: { method: 'POST' | 'PUT'; path: string; key?: string; json?: object },
) => Promise<Response>;

/** What customers and the warehouse do, through APIs that are killed under their hands. */
export interface Crowd {
  /** Repeats a request under its key until there is a definite answer. */
  insist(request: Parameters<Send>[1]): Promise<{ status: number; body: Record<string, unknown> }>;
  /** Places an order, twice at times, and cancels it at times; answers its id. */
  order(): Promise<string>;
  /** Says, twice at times, that an order was delivered. */
  deliver(orderId: string): Promise<void>;
}

const PAUSE_MS = 200;
const answerSchema = z.record(z.string(), z.unknown());

/** A crowd that orders pieces of `skus` for `customers`; some of it goes to where nothing is shipped. */
export function createCrowd({
  send,
  apis,
  random,
  skus,
  customers,
  modes,
}: {
  send: Send;
  apis: readonly string[];
  random: Random;
  skus: readonly string[];
  customers: readonly string[];
  modes: readonly OrderMode[];
}): Crowd {
  const insist: Crowd['insist'] = async (request) => {
    for (;;) {
      const answer = await send(random.pick(apis), request).catch(() => undefined);
      const read = answerSchema.safeParse(await answer?.json().catch(() => undefined));
      const isDefinite =
        answer !== undefined && answer.status < 500 && read.success && read.data['code'] !== 'idempotency_in_progress';
      if (isDefinite) return { status: answer.status, body: read.data };
      await delay(PAUSE_MS);
    }
  };
  const twiceAtTimes = async (request: Parameters<Send>[1]) => {
    const [first] = await Promise.all(Array.from({ length: random.chance(0.2) ? 2 : 1 }, () => insist(request)));
    if (first === undefined) throw new Error('nothing was sent');
    return first;
  };
  return {
    insist,
    order: async () => {
      const items = [...new Set(Array.from({ length: random.between(1, 3) }, () => random.pick(skus)))].map((sku) => ({
        sku,
        quantity: random.between(1, 3),
      }));
      const country = random.chance(0.05) ? 'AQ' : 'FR';
      const isToBeCancelled = random.chance(0.1);
      const { status, body } = await twiceAtTimes({
        method: 'POST',
        path: '/orders',
        key: randomUUID(),
        json: {
          customerId: random.pick(customers),
          mode: random.pick(modes),
          items,
          currency: 'EUR',
          payment: { method: 'account' },
          shipTo: { name: 'Ada', street: '1 rue de la Paix', postalCode: '75002', city: 'Paris', country },
        },
      });
      if (status >= 300) throw new Error(`an order was answered ${status}: ${JSON.stringify(body)}`);
      const id = String(body['id']);
      if (isToBeCancelled)
        await twiceAtTimes({
          method: 'POST',
          path: `/orders/${id}/cancel`,
          key: randomUUID(),
          json: { reason: 'changed my mind' },
        });
      return id;
    },
    deliver: async (orderId) =>
      void (await twiceAtTimes({ method: 'POST', path: `/orders/${orderId}/delivery`, key: randomUUID(), json: {} })),
  };
}
