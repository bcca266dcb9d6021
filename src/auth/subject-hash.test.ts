import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { createSubjectHash } from './subject-hash.ts';

const ada = { tenantId: 'default', authSubject: 'auth|ada' };

test('a subject has one hash under one secret, and another in another tenant or under another secret', async (t) => {
  const hashed = async (secret: string, identity = ada) =>
    (await createSubjectHash({ SUBJECT_HASH_SECRET: secret, DATA_DIR: '' }))(identity);
  t.is(await hashed('one'), await hashed('one'));
  t.regex(await hashed('one'), /^[0-9a-f]{64}$/);
  t.not(await hashed('one'), await hashed('two'));
  t.not(await hashed('one'), await hashed('one', { ...ada, tenantId: 'other' }));
});

test('without a setting processes that start at once share one secret, for its owner alone to read', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'steadfast-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const settings = { SUBJECT_HASH_SECRET: undefined, DATA_DIR: folder };
  const [first, second] = await Promise.all([createSubjectHash(settings), createSubjectHash(settings)]);
  t.is(first(ada), second(ada));
  t.is((await createSubjectHash(settings))(ada), first(ada));
  t.is((await stat(join(folder, 'keys', 'subject-hash'))).mode & 0o777, 0o600);
});
