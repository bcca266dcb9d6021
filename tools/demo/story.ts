import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { BOSS, HOUSEKEEPER, PATIENCE_MS, POLL_MS, type DemoCaller, type Narrator } from './narrator.ts';

const shownUser = z.object({
  id: z.string(),
  status: z.string(),
  profileCompletionStatus: z.string(),
  profileCompletionReminders: z.number(),
  version: z.number(),
  syncStatus: z.string(),
  syncRetryCount: z.number(),
  lastSyncError: z.string().nullable(),
  syncMetadata: z.object({ servicesToSync: z.array(z.string()), syncedServices: z.array(z.string()) }),
});
type ShownUser = z.output<typeof shownUser>;
const notifications = z.object({
  items: z.array(z.object({ kind: z.string(), recipient: z.string(), subject: z.string() })),
});

/** A user whose profile is complete, and the customer that it orders for. */
export interface DemoCustomer {
  readonly user: DemoCaller;
  readonly customerId: string;
}

/** Tells the story of profiles and copies on a running installation; answers the user who completed its profile. */
export async function tellOfUsers({ view, apiUrl, uiUrl, ask, api, cli, cliQuietly }: Narrator): Promise<DemoCustomer> {
  const watch = async (name: string, id: string, isReached: (user: ShownUser) => boolean): Promise<ShownUser> => {
    for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await wait(POLL_MS)) {
      const user = shownUser.parse(await ask(BOSS, 'GET', `/users/${id}`));
      view.show(name, stateOf(user));
      if (isReached(user)) return user;
    }
    throw new Error(`${name} did not get there: ${JSON.stringify(await ask(BOSS, 'GET', `/users/${id}`))}`);
  };
  const register = async (name: string): Promise<{ id: string; subject: string }> => {
    const subject = `demo|${name}|${Date.now()}`;
    const user = shownUser.parse(
      await api(BOSS, 'POST', '/users', {
        authSubject: subject,
        email: `${name.toLowerCase()}@example.com`,
        name,
        locale: 'en',
      }),
    );
    return { id: user.id, subject };
  };

  view.scene('1. A user logs in for the first time');
  view.tell(
    'The row and the promise to start two workflows are one transaction; two services get a copy and confirm it.',
  );
  view.tell('accounting confirms at once. portfolio fails twice: only it is sent the user again, after 1 s and 2 s.');
  const { id: ada, subject } = await register('Ada');
  await watch('Ada', ada, ({ syncStatus }) => syncStatus === 'synced');
  view.tell('synced means: every service has confirmed this very version.');

  const customerId = 'company-7';
  view.scene('2. Ada completes her profile');
  view.tell('She becomes active and tied to her company; that changes the copy, so the services get version 2.');
  await api(BOSS, 'POST', `/users/state-management/${ada}/profile/complete`, { customerId, customerKind: 'company' });
  await watch(
    'Ada',
    ada,
    ({ status, syncStatus, version }) => status === 'active' && syncStatus === 'synced' && version === 2,
  );

  view.scene('3. Bob logs in and does nothing');
  view.tell(
    'His profile is due in 20 s here (7 days by default): reminders 12, 8 and 4 s before, then it expires and the ' +
      'night shift is told.',
  );
  const { id: bob } = await register('Bob');
  await watch('Bob', bob, ({ status }) => status === 'inactive');
  for (const { kind, recipient, subject: title } of notifications
    .parse(await api(BOSS, 'GET', `/users/${bob}/notifications`))
    .items.toReversed()) {
    view.tell(`   ${kind} to ${recipient}: ${title}`);
  }

  view.scene('4. An operator gives Bob another week, by a signal');
  view.tell(`The workflow stays open, so that a signal always finds it: ${uiUrl}`);
  await cli(
    'workflow',
    'signal',
    '--workflow-id',
    `profile:${bob}`,
    '--name',
    'reactivate',
    '--input',
    '{"extensionDays":7}',
  );
  await watch('Bob', bob, ({ status }) => status === 'pending_profile');
  view.tell('Once more: not allowed now, so it changes nothing and is kept with its reason.');
  await cli(
    'workflow',
    'signal',
    '--workflow-id',
    `profile:${bob}`,
    '--name',
    'reactivate',
    '--input',
    '{"extensionDays":7}',
  );
  view.tell((await cli('workflow', 'query', '--workflow-id', `profile:${bob}`, '--type', 'state')).trim());

  view.scene("5. Somebody terminates Bob's workflow by hand");
  await cli('workflow', 'terminate', '--workflow-id', `profile:${bob}`, '--reason', 'the demo');
  view.tell(
    'The next audit (here: by hand) finds the row without its workflow and starts it again in the right state.',
  );
  for (let isBack = false; !isBack; await wait(POLL_MS)) {
    await ask(HOUSEKEEPER, 'POST', '/maintenance/audits/profile-audit/run');
    await wait(1_000);
    isBack = (
      await cliQuietly('workflow', 'list', '--query', `WorkflowId = "profile:${bob}" AND ExecutionStatus = "Running"`)
    ).includes(bob);
  }
  view.type(
    `curl -X POST ${apiUrl}/maintenance/audits/profile-audit/run -H "Authorization: Bearer $${HOUSEKEEPER.name}"`,
  );
  view.tell((await cli('workflow', 'query', '--workflow-id', `profile:${bob}`, '--type', 'state')).trim());

  view.scene('6. Where everybody stands');
  view.tell(JSON.stringify(await api(BOSS, 'GET', '/users/state-management/profile-completion/stats')));
  view.tell(JSON.stringify(await api(BOSS, 'GET', '/users/state-management/sync/stats')));
  return { user: { name: 'ADA', role: 'user', subject }, customerId };
}

function stateOf({
  status,
  profileCompletionStatus,
  profileCompletionReminders,
  version,
  syncStatus,
  syncRetryCount,
  lastSyncError,
  syncMetadata,
}: ShownUser): string {
  const copies = syncMetadata.servicesToSync
    .map((service) => `${service} ${syncMetadata.syncedServices.includes(service) ? '✓' : '…'}`)
    .join(' ');
  const trouble = lastSyncError === null ? '' : ` (retry ${syncRetryCount}: ${lastSyncError})`;
  return (
    `${status}/${profileCompletionStatus}, reminders ${profileCompletionReminders} | version ${version} ` +
    `${syncStatus}: ${copies}${trouble}`
  );
}
