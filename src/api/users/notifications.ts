import { z } from 'zod';
import { listUserNotifications } from '../../db/notifications/user-notifications.ts';
import { userExists } from '../../db/users/users.ts';
import { Problem } from '../http/problem.ts';
import { requireOwn, route, type Route } from '../http/route.ts';
import {
  id,
  instant,
  nullableInstant,
  pageCursor,
  pageLimit,
  pageOf,
  readCursor,
  writeCursor,
} from '../http/values.ts';

const notification = z
  .strictObject({
    id,
    kind: z.string(),
    mark: z.number().meta({ description: 'Days before the deadline, for a reminder' }),
    status: z.enum(['pending', 'sent', 'kept', 'failed']),
    channel: z.string(),
    recipient: z.string(),
    subject: z.string(),
    text: z.string(),
    html: z.string(),
    createdAt: instant,
    sentAt: nullableInstant,
  })
  .meta({ id: 'Notification' });

const list = route(
  {
    method: 'get',
    path: '/users/:id/notifications',
    operationId: 'listNotifications',
    tag: 'Users',
    roles: ['user', 'operator', 'admin'],
    summary:
      'Lists what was written to a user, and for operators also what administrators were told of it, newest first',
    params: z.object({ id }),
    query: z.strictObject({ limit: pageLimit, cursor: pageCursor.optional() }),
    statuses: { 200: 'A page of notifications' },
    answer: pageOf(notification),
    errors: ['user_not_found'],
  },
  async (call) => {
    const {
      deps,
      caller: { tenantId, role },
      params: { id: userId },
      query: { limit, cursor },
    } = call;
    requireOwn(call, userId);
    if (!(await userExists(deps.db.pool, { tenantId, userId }))) throw new Problem('user_not_found');
    const rows = await deps.db.inTenant(tenantId, (tx) =>
      listUserNotifications(tx, {
        tenantId,
        userId,
        toUserOnly: role === 'user',
        after: readCursor(cursor),
        limit: limit + 1,
      }),
    );
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      status: 200,
      body: {
        items: page.map((row) => ({
          id: row.id,
          kind: row.kind,
          mark: row.mark,
          status: row.status,
          channel: row.channel,
          recipient: row.recipient,
          subject: row.subject,
          text: row.text,
          html: row.html,
          createdAt: row.createdAt.toISOString(),
          sentAt: row.sentAt?.toISOString() ?? null,
        })),
        nextCursor: rows.length > limit && last !== undefined ? writeCursor({ at: last.createdAt, id: last.id }) : null,
      },
    };
  },
);

/** Routes of the notifications that users were sent. */
export const notificationRoutes: readonly Route[] = [list];
