import { z } from 'zod';
import { listUsers } from '../../db/users/user-list.ts';
import { findUser } from '../../db/users/users.ts';
import { Problem } from '../http/problem.ts';
import { requireOwn, route, type Route } from '../http/route.ts';
import { registrationSchema, userAnswer, userChangesSchema, userSchema } from './user.schemas.ts';
import { changeUser } from '../../db/users/change-user.ts';
import { deleteUser } from '../../db/users/delete-user.ts';
import { registerUser } from '../../db/users/register-user.ts';
import {
  id,
  pageCursor,
  pageLimit,
  pageOf,
  profileCompletionStatus,
  readCursor,
  syncStatus,
  text,
  userStatus,
  writeCursor,
} from '../http/values.ts';

const params = z.object({ id });
const EVERYBODY = ['user', 'service', 'operator', 'admin'] as const;

const register = route(
  {
    method: 'post',
    path: '/users',
    operationId: 'registerUser',
    tag: 'Users',
    roles: ['user', 'service', 'admin'],
    scope: 'users:write',
    openToInactive: true,
    summary: 'Registers a user at its first login; repeated, it answers the same user',
    body: registrationSchema,
    statuses: { 201: 'The user is registered', 200: 'The identity has this user already' },
    answer: userSchema,
    errors: ['phone_required', 'registered_too_often'],
    idempotent: true,
  },
  async ({ deps, caller, body }) => {
    if (caller.role === 'user' && caller.subject !== body.authSubject) {
      throw new Problem('forbidden', { detail: "A user's own token registers its own subject only." });
    }
    if (caller.role === 'user' && body.servicesToSync !== undefined) {
      throw new Problem('forbidden', { detail: 'A user does not choose its services; leave `servicesToSync` out.' });
    }
    const { name = null, phone = null, servicesToSync, ...rest } = body;
    if (phone === null && body.notificationChannels.includes('sms')) throw new Problem('phone_required');
    const registered = await registerUser(
      deps,
      { ...rest, name, phone, servicesToSync, tenantId: caller.tenantId },
      Date.now(),
    );
    if ('refusedUntil' in registered) {
      const retryAfterSeconds = Math.max(1, Math.ceil((registered.refusedUntil.getTime() - Date.now()) / 1_000));
      throw new Problem('registered_too_often', { retryAfterSeconds });
    }
    const { user, isNew } = registered;
    if (isNew) deps.wakeOutboxRelay();
    return { status: isNew ? 201 : 200, body: userAnswer(user), headers: { Location: `/users/${user.id}` } };
  },
);

const read = route(
  {
    method: 'get',
    path: '/users/:id',
    operationId: 'getUser',
    tag: 'Users',
    roles: EVERYBODY,
    scope: 'users:read',
    openToInactive: true,
    summary: 'Reads a user',
    params,
    statuses: { 200: 'The user' },
    answer: userSchema,
    errors: ['user_not_found'],
  },
  async (call) => {
    const {
      deps,
      caller: { tenantId },
      params: { id: userId },
    } = call;
    requireOwn(call, userId);
    const user = await deps.db.inTenant(tenantId, (tx) => findUser(tx, { tenantId, userId }));
    if (user === undefined) throw new Problem('user_not_found');
    return { status: 200, body: userAnswer(user) };
  },
);

const change = route(
  {
    method: 'patch',
    path: '/users/:id',
    operationId: 'changeUser',
    tag: 'Users',
    roles: ['user', 'service', 'admin'],
    scope: 'users:write',
    summary: "Changes contact fields, of which the user's services are told, and how the user wants to be notified",
    params,
    body: userChangesSchema,
    statuses: { 200: 'The user as it is now' },
    answer: userSchema,
    errors: ['user_not_found', 'phone_required'],
  },
  async (call) => {
    const {
      deps,
      caller: { tenantId },
      params: { id: userId },
      body: { email, name, locale, phone, notificationChannels },
    } = call;
    requireOwn(call, userId);
    const user = await changeUser(
      deps,
      { tenantId, userId },
      {
        ...(email === undefined ? {} : { email }),
        ...(name === undefined ? {} : { name }),
        ...(locale === undefined ? {} : { locale }),
        ...(phone === undefined ? {} : { phone }),
        ...(notificationChannels === undefined ? {} : { notificationChannels }),
      },
    );
    if (user === undefined) throw new Problem('user_not_found');
    if (user === 'phone_required') throw new Problem('phone_required');
    deps.wakeOutboxRelay();
    return { status: 200, body: userAnswer(user) };
  },
);

const remove = route(
  {
    method: 'delete',
    path: '/users/:id',
    operationId: 'deleteUser',
    tag: 'Users',
    roles: ['user', 'service', 'admin'],
    scope: 'users:delete',
    summary: 'Forgets a user: anonymises it and ends its workflows',
    params,
    statuses: { 204: 'The user is gone' },
    errors: ['user_not_found'],
  },
  async (call) => {
    const {
      deps,
      caller: { tenantId },
      params: { id: userId },
    } = call;
    requireOwn(call, userId);
    if (!(await deleteUser(deps, { tenantId, userId }, new Date()))) throw new Problem('user_not_found');
    deps.wakeOutboxRelay();
    return { status: 204 };
  },
);

const list = route(
  {
    method: 'get',
    path: '/users',
    operationId: 'listUsers',
    tag: 'Users',
    roles: ['service', 'operator', 'admin'],
    scope: 'users:read',
    summary: 'Lists users, newest first; with `emailPrefix` in the order of their addresses',
    query: z.strictObject({
      status: userStatus.optional(),
      profileCompletionStatus: profileCompletionStatus.optional(),
      syncStatus: syncStatus.optional(),
      emailPrefix: text(254).toLowerCase().optional(),
      limit: pageLimit,
      cursor: pageCursor.optional(),
    }),
    statuses: { 200: 'A page of users' },
    answer: pageOf(userSchema),
    errors: [],
  },
  async ({ deps, caller: { tenantId }, query: { cursor, limit, ...filter } }) => {
    const from = readCursor(cursor);
    const after = from === undefined ? undefined : { createdAt: from.at, id: from.id };
    const users = await deps.db.inTenant(tenantId, (tx) =>
      listUsers(tx, { tenantId, ...filter, after, limit: limit + 1 }),
    );
    const page = users.slice(0, limit);
    const last = page.at(-1);
    return {
      status: 200,
      body: {
        items: page.map(userAnswer),
        nextCursor:
          users.length > limit && last !== undefined ? writeCursor({ at: last.createdAt, id: last.id }) : null,
      },
    };
  },
);

/** Routes of registration, reading, changing and deleting users. */
export const userRoutes: readonly Route[] = [register, list, read, change, remove];
