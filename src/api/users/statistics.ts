import { z } from 'zod';
import { countByCompletion, countBySync } from '../../db/users/user-counts.ts';
import { countUnconfirmedDeletions } from '../../db/user-sync/deletions.ts';
import { route, type Route } from '../http/route.ts';

const count = z.number().int();
const READERS = ['service', 'operator', 'admin'] as const;

const profileStats = route(
  {
    method: 'get',
    path: '/users/state-management/profile-completion/stats',
    operationId: 'profileCompletionStats',
    tag: 'User states',
    roles: READERS,
    scope: 'users:read',
    summary: 'Counts users by profile completion',
    statuses: { 200: 'The counts' },
    errors: [],
    answer: z.strictObject({ notStarted: count, inProgress: count, completed: count, expired: count, total: count }),
  },
  async ({ deps, caller: { tenantId } }) => {
    const {
      not_started = 0,
      in_progress = 0,
      completed = 0,
      expired = 0,
    } = await deps.db.inTenant(tenantId, (tx) => countByCompletion(tx, tenantId));
    return {
      status: 200,
      body: {
        notStarted: not_started,
        inProgress: in_progress,
        completed,
        expired,
        total: not_started + in_progress + completed + expired,
      },
    };
  },
);

const syncStats = route(
  {
    method: 'get',
    path: '/users/state-management/sync/stats',
    operationId: 'syncStats',
    tag: 'User states',
    roles: READERS,
    scope: 'users:read',
    summary: 'Counts users by synchronisation',
    statuses: { 200: 'The counts' },
    errors: [],
    answer: z.strictObject({
      pending: count,
      inProgress: count,
      synced: count,
      failed: count,
      retry: count,
      total: count,
    }),
  },
  async ({ deps, caller: { tenantId } }) => {
    const {
      pending = 0,
      in_progress = 0,
      synced = 0,
      failed = 0,
      retry = 0,
    } = await deps.db.inTenant(tenantId, (tx) => countBySync(tx, tenantId));
    return {
      status: 200,
      body: {
        pending,
        inProgress: in_progress,
        synced,
        failed,
        retry,
        total: pending + in_progress + synced + failed + retry,
      },
    };
  },
);

const deletionStats = route(
  {
    method: 'get',
    path: '/users/state-management/deletions/stats',
    operationId: 'deletionStats',
    tag: 'User states',
    roles: READERS,
    scope: 'users:read',
    summary: 'Counts deleted users of whom not every service has confirmed that it has forgotten them',
    statuses: { 200: 'The counts' },
    errors: [],
    answer: z.strictObject({ pending: count, inProgress: count, failed: count, retry: count, total: count }),
  },
  async ({ deps, caller: { tenantId } }) => {
    const counts = await deps.db.inTenant(tenantId, (tx) => countUnconfirmedDeletions(tx, tenantId));
    const { pending = 0, in_progress = 0, failed = 0, retry = 0 } = counts;
    return {
      status: 200,
      body: { pending, inProgress: in_progress, failed, retry, total: pending + in_progress + failed + retry },
    };
  },
);

/** Counts of users by their states. */
export const statisticsRoutes: readonly Route[] = [profileStats, syncStats, deletionStats];
