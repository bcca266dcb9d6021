import type { Alert } from '../postgres/generated/client.ts';
import type { Mail } from '../gateways/mail.ts';
import { renderMessage } from '../notifications/message.ts';

/** What is told of an alert: that its condition holds, or that it is over. Each once, under an id of its own. */
export type Telling = 'raised' | 'over';

/** The id by which a receiver knows the alert: of the first one told about a condition that came and went. */
function knownAs({ id, toldAs }: Alert): string {
  return toldAs ?? id;
}

/** The e-mail to an administrator. */
export function alertMail(alert: Alert, telling: Telling, to: string): Mail {
  const { id, tenantId, kind, severity, summary, details, firstSeenAt, resolvedAt, resolvedBy } = alert;
  const first = `Kind ${kind}, tenant ${tenantId}, first seen ${firstSeenAt.toISOString()}`;
  const paragraphs = {
    raised: [
      summary,
      `${first}.`,
      `Details: ${JSON.stringify(details)}`,
      `What it means and what to do: docs/operations.md. To say that you look at it: POST /alerts/${id}/acknowledge.`,
    ],
    over: [
      `It is over: ${summary}`,
      `${first}, over since ${resolvedAt?.toISOString() ?? 'now'}, as ${resolvedBy ?? 'somebody'} found.`,
    ],
  } as const satisfies Record<Telling, readonly string[]>;
  const message = renderMessage({
    locale: 'en',
    subject: `[${telling === 'over' ? 'resolved' : severity}] ${summary}`,
    greeting: 'Hello,',
    paragraphs: paragraphs[telling],
    closing: 'Steadfast',
  });
  return { to, ...message, messageId: `<alert.${knownAs(alert)}${telling === 'over' ? '.resolved' : ''}@steadfast>` };
}

/** What the webhook receives. */
export function alertCall(alert: Alert, telling: Telling): { readonly id: string; readonly body: object } {
  const { tenantId, kind, severity, status, summary, details, count, firstSeenAt, lastSeenAt } = alert;
  const id = knownAs(alert);
  const body = { tenantId, id, kind, severity, summary, details, count, firstSeenAt, lastSeenAt };
  if (telling === 'raised') return { id, body: { ...body, status: status === 'resolved' ? 'open' : status } };
  const { resolvedAt, resolvedBy } = alert;
  return { id: `${id}:resolved`, body: { ...body, status: 'resolved', resolvedAt, resolvedBy } };
}
