import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { EventStream } from '../../test/support/event-stream.ts';
import type { DemoCustomer } from './story.ts';
import { BOSS, PATIENCE_MS, POLL_MS, type Narrator } from './narrator.ts';

const refusal = z.object({ code: z.string(), message: z.string() }).nullable();
const shownOrder = z.object({ id: z.string(), status: z.string(), totalMinor: z.number().nullable(), refusal });
const shownEvent = z.object({ type: z.string(), step: z.string().nullable(), refusal });
const shownRefund = z.object({ id: z.string(), status: z.string() });
const shownProduct = z.object({ onHand: z.number(), reserved: z.number(), shipped: z.number() });
const shownProcess = z.object({
  status: z.string(),
  steps: z.array(z.object({ step: z.string(), status: z.string(), error: z.object({ code: z.string() }).nullable() })),
});
const shownAlerts = z.object({ items: z.array(z.object({ severity: z.string(), summary: z.string() })) });

const MUG = 'MUG-1';
const MACHINE = 'MACHINE-1';
const SHIP_TO = { name: 'Ada Lovelace', street: '12 rue de Rivoli', postalCode: '75004', city: 'Paris', country: 'FR' };

/** Tells the story of orders: one that arrives, one that is undone, and money that goes back. */
export async function tellOfOrders(narrator: Narrator, { user, customerId }: DemoCustomer): Promise<void> {
  const { view, api, cli } = narrator;
  const place = async (sku: string, quantity: number): Promise<string> =>
    shownOrder.parse(
      await api(user, 'POST', '/orders', {
        customerId,
        items: [{ sku, quantity }],
        currency: 'EUR',
        payment: { method: 'account' },
        shipTo: SHIP_TO,
      }),
    ).id;

  view.scene('7. The shop has mugs, and a few coffee machines');
  for (const [sku, name, priceMinor] of [
    [MUG, 'Mug', 1_250],
    [MACHINE, 'Coffee machine', 99_000],
  ] as const) {
    await api(BOSS, 'PUT', `/products/${sku}`, { name, priceMinor, currency: 'EUR' });
    await api(BOSS, 'POST', `/products/${sku}/stock`, { received: 20 });
  }

  view.scene('8. Ada orders two mugs, and follows what happens');
  view.tell(
    '201 means that the order and the promise to carry it out are written. Then it is validated, reserved, paid ' +
      'and shipped.',
  );
  const mugs = await place(MUG, 2);
  const events = await narrator.follow(user, `/orders/${mugs}/events`);
  await showEvents(narrator, events, 'WaitStarted');
  view.tell('It has left the warehouse, which is the point of no return: a cancellation is refused now, and says why.');
  view.tell(JSON.stringify(await narrator.refused(user, 'POST', `/orders/${mugs}/cancel`)));
  view.tell(
    'Nobody says that it was delivered. It is due within 4 s here (7 days by default), then operators are told.',
  );
  await showEvents(narrator, events, 'WaitOverdue');
  for (const { severity, summary } of await untilAlert(narrator)) view.tell(`   ${severity}: ${summary}`);
  await api(BOSS, 'POST', `/orders/${mugs}/delivery`);
  await showEvents(narrator, events, null);

  view.scene("9. Ada orders eleven machines, which is more than her company's credit");
  view.tell(
    'The payment is declined, so the machines that were reserved are given back at once; the undo was on the list ' +
      'before the step began.',
  );
  const machines = await place(MACHINE, 11);
  await showEvents(narrator, await narrator.follow(user, `/orders/${machines}/events`), null);
  view.tell('What Ada reads:');
  const { status, refusal: reason } = shownOrder.parse(await api(user, 'GET', `/orders/${machines}`));
  view.tell(`   ${status}: ${reason?.message ?? ''}`);
  view.tell('What operators read, by the API, by the CLI, and in the Web UI:');
  const undone = shownProcess.parse(await api(BOSS, 'GET', `/processes/${machines}`));
  const steps = undone.steps.map(
    ({ step, status: stands, error }) => `${step} ${stands}${error === null ? '' : ` (${error.code})`}`,
  );
  view.tell(`   ${undone.status}: ${steps.join(', ')}`);
  view.tell((await cli('workflow', 'result', '--workflow-id', `order:${machines}`)).trim());
  await showStock(narrator, MACHINE);

  view.scene('10. Ada sends one mug back');
  view.tell(
    'The money goes back once the goods are (within 30 days by default). The first refund is asked for by mistake, ' +
      'and cancelled.',
  );
  const askRefund = async (): Promise<string> =>
    shownRefund.parse(
      await api(BOSS, 'POST', `/orders/${mugs}/refunds`, { amountMinor: 1_250, items: [{ sku: MUG, quantity: 1 }] }),
    ).id;
  const mistaken = await askRefund();
  await watchRefund(narrator, mistaken, 'awaiting_goods');
  await cli('workflow', 'cancel', '--workflow-id', `refund:${mistaken}`);
  await watchRefund(narrator, mistaken, 'cancelled');
  view.tell('Everything that it had spoken for is free again, so the same mug can be refunded.');
  const refund = await askRefund();
  await watchRefund(narrator, refund, 'awaiting_goods');
  await api(BOSS, 'POST', `/refunds/${refund}/goods-returned`);
  await watchRefund(narrator, refund, 'paid');
  await showStock(narrator, MUG);

  view.scene('11. What operators look through');
  view.tell(
    'What was undone, by its search attribute; what waits for somebody, by its row (docs/processes.md says what ' +
      'they can do then):',
  );
  view.tell((await cli('workflow', 'list', '--query', 'ProcessStatus IN ("compensated", "cancelled")')).trim());
  view.tell(JSON.stringify(await api(BOSS, 'GET', '/processes?status=compensation_failed')));
}

/** Shows the events up to the first of this type; null: until the stream ends. */
async function showEvents({ view }: Narrator, events: EventStream, last: string | null): Promise<void> {
  for (let event = await events.next(); event !== null; event = await events.next()) {
    const { type, step, refusal: reason } = shownEvent.parse(event.data);
    const what = [event.id.padStart(2), type, ...(step === null ? [] : [step])].join(' ');
    view.show('order', reason === null ? what : `${what}: ${reason.message}`);
    if (type === last) return;
  }
  if (last !== null) throw new Error(`the order ended without ${last}`);
}

async function untilAlert({ api, ask }: Narrator): Promise<z.output<typeof shownAlerts>['items']> {
  const path = '/alerts?status=open&kind=process_overdue';
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await wait(POLL_MS)) {
    if (shownAlerts.parse(await ask(BOSS, 'GET', path)).items.length > 0) break;
  }
  return shownAlerts.parse(await api(BOSS, 'GET', path)).items;
}

async function watchRefund({ view, ask }: Narrator, id: string, wanted: string): Promise<void> {
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await wait(POLL_MS)) {
    const { status } = shownRefund.parse(await ask(BOSS, 'GET', `/refunds/${id}`));
    view.show('refund', status);
    if (status === wanted) return;
  }
  throw new Error(`the refund did not get to ${wanted}`);
}

async function showStock({ view, api }: Narrator, sku: string): Promise<void> {
  const { onHand, reserved, shipped } = shownProduct.parse(await api(BOSS, 'GET', `/products/${sku}`));
  view.tell(`   ${sku}: ${onHand} on hand, ${reserved} of them reserved; ${shipped} shipped`);
}
