import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { BOSS, PATIENCE_MS, POLL_MS, type Narrator } from './narrator.ts';

const shownSlip = z.object({
  id: z.string(),
  status: z.string(),
  cause: z.object({ code: z.string(), message: z.string() }).nullable(),
  itinerary: z.array(z.object({ leg: z.string(), status: z.string() })),
});
type ShownSlip = z.output<typeof shownSlip>;

/** Tells the story of companies that are taken on: one by what its plan needs, and one that is undone. */
export async function tellOfOnboarding(narrator: Narrator): Promise<void> {
  const { view } = narrator;
  const companyId = `company-${Date.now()}`;
  const plan = (name: string, taxNumber: string) => ({
    activity: 'plan_onboarding',
    arguments: { companyId, country: 'FR', plan: name, taxNumber },
  });
  const invite = (name: string) => ({
    activity: 'invite_users',
    arguments: {
      users: [{ authSubject: `demo|${name}|${companyId}`, email: `${name.toLowerCase()}@example.com`, name }],
    },
  });
  const credit = {
    activity: 'open_credit_account',
    arguments: { customerId: companyId, currency: 'EUR', limitMinor: 90_000_000 },
  };
  const welcome = { activity: 'send_welcome', arguments: { email: 'office@example.com', companyName: 'Acme' } };

  view.scene('12. A company is taken on, by a routing slip');
  view.tell(
    'The steps are sent with it. The first one plans: in France, for this plan, two more come before the others.',
  );
  await carry(narrator, [plan('business', 'FR 40 303 265 045'), invite('Grace'), welcome], 'completed');

  view.scene('13. Credit is opened and somebody invited before the tax number turns out to be wrong');
  view.tell('What was done is undone in reverse: the invitation, then the credit.');
  const { cause } = await carry(
    narrator,
    [credit, invite('Linus'), plan('starter', 'FR 41 303 265 045'), welcome],
    'compensated',
  );
  view.tell(`   ${cause?.code}: ${cause?.message}`);
}

/** Sends a slip and shows its legs until it has this status. */
async function carry({ view, api, ask }: Narrator, itinerary: readonly object[], wanted: string): Promise<ShownSlip> {
  const { id } = shownSlip.parse(await api(BOSS, 'POST', '/processes/routing-slips', { itinerary }));
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await wait(POLL_MS)) {
    const slip = shownSlip.parse(await ask(BOSS, 'GET', `/processes/routing-slips/${id}`));
    const legs = slip.itinerary.map(({ leg, status }) => `${leg} ${status}`);
    view.show('slip', `${slip.status}: ${legs.join(', ')}`);
    if (slip.status === wanted) return slip;
  }
  throw new Error(`the slip did not get to ${wanted}`);
}
