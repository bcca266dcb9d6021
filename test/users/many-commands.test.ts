import test from 'ava';
import { startTemporaryTemporal } from '../../tools/temporary-temporal.ts';
import { profileStateQuery } from '../../src/workflows/profile/profile.messages.ts';
import { runApi } from '../support/api.ts';
import { temporalAt } from '../support/temporal.ts';
import { createUserWorld } from '../support/user-world.ts';

test('a workflow continues as new before it has had the Updates that one run may have', async (t) => {
  // The limit is 2,000 by default, and the suggestion comes at nine tenths of it there too.
  const server = await startTemporaryTemporal({
    'history.maxTotalUpdates': 60,
    'limit.historyCount.suggestContinueAsNew': 100_000,
  });
  t.teardown(server.stop);
  const world = await createUserWorld(t, {
    temporal: temporalAt(t, server.address),
    settings: { COMMAND_TIMEOUT_MS: '60000' },
  });
  const api = await runApi(world);
  const { body } = await api.ask('POST', '/users', {
    role: 'user',
    sub: 'busy',
    json: { authSubject: 'busy', email: 'busy@example.com' },
  });
  const id = String(body['id']);
  const command = () =>
    api.ask('POST', `/users/state-management/${id}/profile/mark-in-progress`, { role: 'user', sub: 'busy' });
  t.is((await command()).status, 200);
  const handle = world.client.workflow.getHandle(`profile:${id}`);
  const { runId: firstRun } = await handle.describe();

  const answers = await Promise.all(Array.from({ length: 200 }, command));

  t.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  t.not((await handle.describe()).runId, firstRun);
  t.like(await handle.query(profileStateQuery), { profileCompletionStatus: 'in_progress' });
});
