import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { profileWorkflowId } from '../../src/workflows/profile/profile.messages.ts';
import { groupLives } from '../../tools/launcher/processes.ts';
import { childrenOf, createInstallation, mintToken, startLauncher, type Installation } from '../support/launcher.ts';

const user = z.object({ id: z.string(), email: z.string(), status: z.string() });
const SECOND_START_MS = 15_000;

test.serial('npm start goes on with the same users and workflows after Ctrl-C, which leaves no process', async (t) => {
  const installation = await createInstallation(t);
  const first = startLauncher(t, installation);
  await first.printed(/Steadfast is ready/);
  const token = await mintToken(installation);
  t.regex(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  const ada = await register(first.output(), token);
  t.is(ada.status, 'pending_profile');
  await workflowRuns(installation, ada.id);

  const children = childrenOf(installation);
  t.deepEqual([...children.keys()].toSorted(), ['api', 'postgres', 'temporal', 'worker']);
  first.send('SIGINT');
  t.is(await first.exited, 0);
  t.regex(first.output(), /Stopping api[^]*Stopping worker[^]*Stopping temporal[^]*Stopping postgres[^]*Stopped\./);
  t.deepEqual(
    [...children].filter(([, pid]) => groupLives(pid)),
    [],
  );

  const startMs = Date.now();
  const second = startLauncher(t, installation);
  await second.printed(/Steadfast is ready/);
  t.true(Date.now() - startMs < SECOND_START_MS);
  const response = await fetch(`${apiUrl(second.output())}/users/${ada.id}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  t.is(user.parse(await response.json()).email, 'ada@example.com');
  await workflowRuns(installation, ada.id);
  second.send('SIGTERM');
  t.is(await second.exited, 0);
});

test.serial('npm start starts a killed API again, and stops what a killed launcher left', async (t) => {
  const installation = await createInstallation(t);
  const first = startLauncher(t, installation);
  await first.printed(/Steadfast is ready/);
  const before = childrenOf(installation);
  process.kill(before.get('api')!, 'SIGKILL');
  await first.printed(/api ended \(killed by SIGKILL\)[^]*api is back/);
  t.not(childrenOf(installation).get('api'), before.get('api'));
  t.is((await fetch(`${apiUrl(first.output())}/readyz`)).status, 200);

  const children = childrenOf(installation);
  first.send('SIGKILL');
  await first.exited;
  const ours = [children.get('api')!, children.get('worker')!];
  while (ours.some(groupLives)) await sleep(50);

  const second = startLauncher(t, installation);
  await second.printed(/an earlier launch had left running: .*postgres[^]*Steadfast is ready/);
  t.deepEqual(
    [...children].filter(([, pid]) => groupLives(pid)),
    [],
  );
  second.send('SIGHUP');
  t.is(await second.exited, 0);
});

test.serial('npm start names the port that is taken and its setting', async (t) => {
  const installation = await createInstallation(t);
  const server = createServer().listen(Number(installation.env['PORT']), '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const launcher = startLauncher(t, installation);
  t.is(await launcher.exited, 1);
  t.is(
    launcher.output(),
    `Port ${installation.env['PORT']} (PORT) is taken: stop what listens on it or set PORT to another port.\n`,
  );
});

test.serial('npm start names a setting that is wrong in one line', async (t) => {
  const launcher = startLauncher(t, await createInstallation(t), { PORT: 'abc' });
  t.is(await launcher.exited, 1);
  t.regex(launcher.output(), /^PORT: [^\n]+\n$/);
});

function apiUrl(output: string): string {
  const url = /API +(http:\S+)/.exec(output)?.[1];
  if (url === undefined) throw new Error(`the panel names no API:\n${output}`);
  return url;
}

// The body is the one that the panel's curl sends.
async function register(output: string, token: string): Promise<z.infer<typeof user>> {
  const body = /-d '(\{.*\})'/.exec(output)?.[1] ?? '';
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(`${apiUrl(output)}/users`, { method: 'POST', headers, body });
  if (response.status !== 201) throw new Error(`POST /users answered ${response.status}: ${await response.text()}`);
  return user.parse(await response.json());
}

// The workflow is started right after the answer, so it may take a moment to be there.
async function workflowRuns(installation: Installation, userId: string): Promise<void> {
  const connection = await Connection.connect({ address: `127.0.0.1:${installation.env['TEMPORAL_PORT']}` });
  try {
    const handle = new Client({ connection }).workflow.getHandle(profileWorkflowId(userId));
    while ((await handle.describe().catch(() => undefined))?.status.name !== 'RUNNING') await sleep(100);
  } finally {
    await connection.close();
  }
}
