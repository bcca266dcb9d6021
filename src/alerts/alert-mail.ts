import type { Alert } from '../postgres/generated/client.ts';
import type { Mail } from '../gateways/mail.ts';
import { renderMessage } from '../notifications/message.ts';

/** The e-mail to an administrator about an alert. */
export function alertMail(
  { id, tenantId, kind, severity, status, summary, details, firstSeenAt }: Alert,
  to: string,
): Mail {
  const message = renderMessage({
    locale: 'en',
    subject: `[${severity}] ${summary}`,
    greeting: 'Hello,',
    paragraphs: [
      summary,
      `Kind ${kind}, tenant ${tenantId}, first seen ` +
        `${firstSeenAt.toISOString()}${status === 'resolved' ? ', over in the meantime' : ''}.`,
      `Details: ${JSON.stringify(details)}`,
      `What it means and what to do: docs/operations.md. To say that you look at it: POST /alerts/${id}/acknowledge.`,
    ],
    closing: 'Steadfast',
  });
  return { to, ...message, messageId: `<alert.${id}@steadfast>` };
}
