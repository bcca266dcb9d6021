import { randomUUID } from 'node:crypto';
import { loadConfig } from '../../src/config/config.ts';
import { beginIdempotent, finishIdempotent, releaseIdempotent } from '../../src/db/http/idempotency-keys.ts';
import {
  claimNotification,
  insertNotifications,
  markNotificationSent,
  pendingNotifications,
} from '../../src/db/notifications/notifications.ts';
import { claimProfile, writeProfile } from '../../src/db/profile/profile-rows.ts';
import { readCopies } from '../../src/db/user-sync/copies.ts';
import { claimUserSync, writeUserSync } from '../../src/db/user-sync/user-sync-rows.ts';
import { changeUser } from '../../src/db/users/change-user.ts';
import { deleteUser } from '../../src/db/users/delete-user.ts';
import { registerUser } from '../../src/db/users/register-user.ts';
import { findOwnUser, findUser, findUserBySubject, userExists, type UserRow } from '../../src/db/users/users.ts';
import type { SubjectHash } from '../../src/domain/users/subject-hash.ts';
import { rawTransaction } from '../../src/postgres/transaction.ts';
import type { Db } from '../../src/postgres/client.ts';
import { flatCase, type FlatCase } from './flat-case.ts';
import { LARGE_TENANT as tenantId } from './large-tenant.ts';

const config = loadConfig({});
const subjectHash: SubjectHash = ({ authSubject }) => authSubject;

async function register(db: Db): Promise<UserRow> {
  const authSubject = `auth|${randomUUID()}`;
  const registered = await registerUser(
    { db, config, subjectHash },
    {
      tenantId,
      authSubject,
      email: `${randomUUID()}@example.com`,
      name: 'Ada',
      locale: 'en',
      phone: null,
      servicesToSync: ['billing', 'search'],
      notificationChannels: ['email'],
    },
    Date.now(),
  );
  if (!('user' in registered)) throw new Error('refused');
  return registered.user;
}

const userCase = (name: string, asked: number, work: (db: Db, user: UserRow) => Promise<unknown>): FlatCase => ({
  name,
  asked,
  prepare: async (db) => {
    const user = await register(db);
    return () => work(db, user);
  },
});

/** Everything that is done to single users. */
export const USER_CASES: readonly FlatCase[] = [
  flatCase('register', 5, register),
  userCase('find a user', 10, async (db, { id: userId, authSubject }) => {
    await findOwnUser(db.pool, { tenantId, subject: authSubject });
    await findUserBySubject(db.pool, { tenantId, authSubject });
    await userExists(db.pool, { tenantId, userId });
    await db.inTenant(tenantId, (tx) => findUser(tx, { tenantId, userId }));
  }),
  userCase('change the contact', 5, (db, { id: userId }) =>
    changeUser({ db }, { tenantId, userId }, { name: 'Grace' }),
  ),
  userCase('save a profile', 5, async (db, { id: userId }) =>
    db.inTenant(tenantId, async (tx) => {
      const claimed = await claimProfile(tx, { tenantId, userId });
      if (claimed === null) throw new Error('there is no such user');
      const { profile, revision } = claimed;
      await writeProfile(tx, { tenantId, userId, profile, revision: revision + 1, writer: 'test' });
    }),
  ),
  userCase('save a synchronisation', 15, async (db, { id: userId }) => {
    const claimed = await db.inTenant(tenantId, (tx) =>
      claimUserSync(tx, {
        tenantId,
        userId,
        settings: { retryDelaysMs: [1], maxRetries: 1, confirmationTimeoutMs: 1, retryResetMs: 1 },
      }),
    );
    if (claimed === null) throw new Error('there is no such user');
    const { sync, revision } = claimed;
    await rawTransaction(db.pool, tenantId, async (client) => {
      await writeUserSync(client, { tenantId, userId, sync, revision: revision + 1, writer: 'test' });
      await readCopies(client, { tenantId, of: [{ userId, service: 'billing' }] });
    });
  }),
  userCase('notify', 10, (db, { id: userId }) =>
    db.inTenant(tenantId, async (tx) => {
      const [id = ''] = await insertNotifications(tx, [
        {
          tenantId,
          userId,
          id: randomUUID(),
          kind: 'reminder',
          mark: 1,
          channel: 'email',
          recipient: 'a',
          toUser: true,
          locale: 'en',
          subject: 's',
          text: 't',
          html: 'h',
          deadline: new Date(0),
          status: 'pending',
        },
      ]);
      await pendingNotifications(tx, { tenantId, userId });
      await claimNotification(tx, { tenantId, id });
      await markNotificationSent(tx, { tenantId, id });
    }),
  ),
  userCase('delete', 15, (db, { id: userId }) => deleteUser({ db, subjectHash }, { tenantId, userId }, new Date())),
  flatCase('hold, keep and give back idempotency keys', 10, async (db) => {
    const claim = {
      tenantId,
      scope: 'auth|x POST /orders',
      fingerprint: 'f',
      token: randomUUID(),
      lockMs: 1_000,
      keepHours: 24,
      key: randomUUID(),
    };
    await beginIdempotent(db.pool, claim);
    await finishIdempotent(db.pool, claim, { status: 201, body: '{}' });
    await beginIdempotent(db.pool, claim);
    await releaseIdempotent(db.pool, claim);
  }),
];
