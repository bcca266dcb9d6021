import { createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { SubjectHash } from '../domain/users/subject-hash.ts';
import { readOrMake } from './owned-file.ts';

/** The hash whose key is SUBJECT_HASH_SECRET or, without one, a secret under DATA_DIR. */
export async function createSubjectHash({
  SUBJECT_HASH_SECRET,
  DATA_DIR,
}: Pick<Config, 'SUBJECT_HASH_SECRET' | 'DATA_DIR'>): Promise<SubjectHash> {
  const secret = SUBJECT_HASH_SECRET ?? (await readOrMake(join(DATA_DIR, 'keys', 'subject-hash'), newSecret));
  return ({ tenantId, authSubject }) =>
    createHmac('sha256', secret)
      .update(JSON.stringify([tenantId, authSubject]))
      .digest('hex');
}

async function newSecret(): Promise<string> {
  return randomBytes(32).toString('base64url');
}
