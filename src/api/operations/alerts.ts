import { z } from 'zod';
import {
  acknowledgeAlert,
  listAlerts,
  resolveAlert,
  type AlertCommand,
  type AlertOutcome,
} from '../../db/alerts/alert-commands.ts';
import type { Tx } from '../../postgres/client.ts';
import type { Alert } from '../../postgres/generated/client.ts';
import { Problem } from '../http/problem.ts';
import { route, type Call, type Route } from '../http/route.ts';
import {
  id,
  instant,
  nullableInstant,
  pageCursor,
  pageLimit,
  pageOf,
  readCursor,
  text,
  writeCursor,
} from '../http/values.ts';

const status = z.enum(['open', 'acknowledged', 'resolved']);
const alertSchema = z
  .strictObject({
    id,
    kind: z.string(),
    severity: z.string(),
    status,
    summary: z.string(),
    details: z.record(z.string(), z.unknown()),
    count: z.number().int().meta({ description: 'How often it was seen' }),
    firstSeenAt: instant,
    lastSeenAt: instant,
    acknowledgedAt: nullableInstant,
    acknowledgedBy: z.string().nullable(),
    resolvedAt: nullableInstant,
    resolvedBy: z.string().nullable(),
  })
  .meta({ id: 'Alert' });

const OPERATORS = ['operator', 'admin'] as const;

const list = route(
  {
    method: 'get',
    path: '/alerts',
    operationId: 'listAlerts',
    tag: 'Alerts',
    roles: OPERATORS,
    summary: 'Lists alerts, newest first',
    query: z.strictObject({
      status: status.optional(),
      kind: text(100).optional(),
      limit: pageLimit,
      cursor: pageCursor.optional(),
    }),
    statuses: { 200: 'A page of alerts' },
    answer: pageOf(alertSchema),
    errors: [],
  },
  async ({ deps, caller: { tenantId }, query }) => {
    const from = readCursor(query.cursor);
    const alerts = await deps.db.inTenant(tenantId, (tx) =>
      listAlerts(tx, {
        tenantId,
        limit: query.limit + 1,
        ...(query.status === undefined ? {} : { status: query.status }),
        ...(query.kind === undefined ? {} : { kind: query.kind }),
        ...(from === undefined ? {} : { after: { firstSeenAt: from.at, id: from.id } }),
      }),
    );
    const page = alerts.slice(0, query.limit);
    const last = page.at(-1);
    const nextCursor =
      alerts.length > query.limit && last !== undefined ? writeCursor({ at: last.firstSeenAt, id: last.id }) : null;
    return { status: 200, body: { items: page.map(alertAnswer), nextCursor } };
  },
);

const acknowledge = route(
  {
    method: 'post',
    path: '/alerts/:id/acknowledge',
    operationId: 'acknowledgeAlert',
    tag: 'Alerts',
    roles: OPERATORS,
    summary: 'Says that somebody looks at it',
    params: z.object({ id }),
    statuses: { 200: 'The alert as it is now' },
    answer: alertSchema,
    errors: ['alert_not_found', 'alert_already_resolved'],
    idempotent: true,
  },
  (call) => carryOut(call, acknowledgeAlert),
);

const resolve = route(
  {
    method: 'post',
    path: '/alerts/:id/resolve',
    operationId: 'resolveAlert',
    tag: 'Alerts',
    roles: OPERATORS,
    summary: 'Closes it; the next sighting is a new alert',
    params: z.object({ id }),
    statuses: { 200: 'The alert as it is now' },
    answer: alertSchema,
    errors: ['alert_not_found'],
    idempotent: true,
  },
  (call) => carryOut(call, resolveAlert),
);

async function carryOut(
  { deps, caller: { tenantId, subject }, params }: Call<{ id: string }>,
  command: (tx: Tx, command: AlertCommand) => Promise<AlertOutcome>,
) {
  const outcome = await deps.db.inTenant(tenantId, (tx) =>
    command(tx, { tenantId, id: params.id, by: subject, at: new Date() }),
  );
  if (!outcome.accepted) throw new Problem(outcome.refusal.code, { detail: outcome.refusal.detail });
  return { status: 200, body: alertAnswer(outcome.alert) };
}

const detailsSchema = z.record(z.string(), z.unknown()).catch({});

function alertAnswer(alert: Alert): z.input<typeof alertSchema> {
  return {
    id: alert.id,
    kind: alert.kind,
    severity: alert.severity,
    status: alert.status,
    summary: alert.summary,
    details: detailsSchema.parse(alert.details),
    count: alert.count,
    firstSeenAt: alert.firstSeenAt.toISOString(),
    lastSeenAt: alert.lastSeenAt.toISOString(),
    acknowledgedAt: alert.acknowledgedAt?.toISOString() ?? null,
    acknowledgedBy: alert.acknowledgedBy,
    resolvedAt: alert.resolvedAt?.toISOString() ?? null,
    resolvedBy: alert.resolvedBy,
  };
}

/** Routes of alerts: conditions that somebody must look into. */
export const alertRoutes: readonly Route[] = [list, acknowledge, resolve];
