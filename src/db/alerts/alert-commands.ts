import { inPageOrder, keyedPage, pageByTime } from '../../postgres/keyed-page.ts';
import type { Tx } from '../../postgres/client.ts';
import { Prisma, type Alert, type AlertStatus } from '../../postgres/generated/client.ts';
import { endAlert } from './raise-alert.ts';
import type { AlertProblem } from '../../domain/alerts/codes.ts';

/** Why an alert can't be acknowledged or resolved. */
interface AlertRefusal {
  readonly code: AlertProblem;
  readonly detail: string;
}

/** The alert as it is now, or why the command was not allowed. */
export type AlertOutcome =
  | { readonly accepted: true; readonly alert: Alert }
  | { readonly accepted: false; readonly refusal: AlertRefusal };

/** Which alert is commanded, and by whom. */
export interface AlertCommand {
  readonly tenantId: string;
  readonly id: string;
  readonly by: string;
  readonly at: Date;
}

/**
 * One page of alerts, newest first by `firstSeenAt`; `lastSeenAt` changes while somebody turns the pages.
 */
export async function listAlerts(
  tx: Tx,
  {
    tenantId,
    status,
    kind,
    after,
    limit,
  }: {
    readonly tenantId: string;
    readonly status?: AlertStatus;
    readonly kind?: string;
    /** The last alert of the page before. */
    readonly after?: { readonly firstSeenAt: Date; readonly id: string };
    readonly limit: number;
  },
): Promise<Alert[]> {
  const ids = await keyedPage(tx, {
    table: 'alerts',
    tenantId,
    matches: (key) => (status ?? key[0]) === key[0] && (kind ?? key[1]) === key[1],
    ...pageByTime(['first_seen_at', 'id'], after && { at: after.firstSeenAt, id: after.id }),
    limit,
  });
  return inPageOrder(ids, await tx.alert.findMany({ where: { tenantId, id: { in: ids } } }), ({ id }) => id);
}

/** Acknowledges the alert: somebody looks into it. Again: nothing changes. */
export async function acknowledgeAlert(tx: Tx, { tenantId, id, by, at }: AlertCommand): Promise<AlertOutcome> {
  await tx.alert.updateMany({
    where: { tenantId, id, status: 'open' },
    data: { status: 'acknowledged', acknowledgedBy: by, acknowledgedAt: at },
  });
  const alert = await findAlert(tx, { tenantId, id });
  if (alert === null) return notFound();
  if (alert.status !== 'resolved') return { accepted: true, alert };
  return { accepted: false, refusal: { code: 'alert_already_resolved', detail: 'The alert is resolved already.' } };
}

/** Resolves the alert; the next observation opens a new one. Again: nothing changes. */
export async function resolveAlert(tx: Tx, { tenantId, id, by }: AlertCommand): Promise<AlertOutcome> {
  await endAlert(tx, { tenantId, by, which: Prisma.sql`id = ${id}::uuid` });
  const alert = await findAlert(tx, { tenantId, id });
  return alert === null ? notFound() : { accepted: true, alert };
}

/** One alert, or null. */
function findAlert(tx: Tx, { tenantId, id }: { tenantId: string; id: string }): Promise<Alert | null> {
  return tx.alert.findUnique({ where: { tenantId_id: { tenantId, id } } });
}

function notFound(): AlertOutcome {
  return { accepted: false, refusal: { code: 'alert_not_found', detail: 'There is no such alert.' } };
}
