import test from 'ava';
import { startApi } from '../support/api.ts';

const api = await startApi();
test.after.always(() => api.close());

test('registration answers 201 with the seed\'s fields, and 200 with the same user afterwards', async (t) => {
  const json = { authSubject: 'auth0|ada', email: 'Ada@Example.com', name: 'Ada' };
  const before = Date.now();
  const first = await api.ask('POST', '/users', { role: 'user', sub: 'auth0|ada', json });
  t.is(first.status, 201);
  t.like(first.body, {
    authSubject: 'auth0|ada', email: 'ada@example.com', name: 'Ada', locale: 'fr', phone: null, version: 1,
    status: 'pending_profile', profileCompletionStatus: 'not_started', profileCompletionReminders: 0, profileCompletedAt: null,
    syncStatus: 'pending', syncRetryCount: 0, lastSyncAttempt: null,
    syncMetadata: { servicesToSync: ['accounting', 'gestion_commerciale', 'portfolio'], syncedServices: [], failedServices: [], lastSuccessfulSync: {} },
  });
  const deadline = Date.parse(String(first.body['profileCompletionDeadline']));
  t.true(deadline >= before + 7 * 86_400_000 && deadline <= Date.now() + 7 * 86_400_000);
  const second = await api.ask('POST', '/users', { role: 'user', sub: 'auth0|ada', json: { ...json, email: 'other@example.com' } });
  t.is(second.status, 200);
  t.deepEqual(second.body, first.body);
});
