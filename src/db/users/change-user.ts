import type { Db } from '../../postgres/client.ts';
import { enqueueUserChanged } from './user-changes.ts';
import { changeContact, findUser, type ContactChanges, type UserKey, type UserRow } from './users.ts';

/**
 * Writes contact fields and channels and the signal by which the user's services are sent the change, in one
 * transaction; undefined: there is no such user.
 */
export async function changeUser(
  { db }: { db: Db },
  key: UserKey,
  changes: ContactChanges,
): Promise<UserRow | undefined | 'phone_required'> {
  return db.inTenant(key.tenantId, async (tx) => {
    const version = await changeContact(tx, key, changes);
    if (version === 'phone_required') return version;
    if (typeof version === 'number') await enqueueUserChanged(tx, { ...key, version });
    return findUser(tx, key);
  });
}
