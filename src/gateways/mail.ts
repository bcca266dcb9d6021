import { createTransport } from 'nodemailer';
import { PermanentDeliveryError } from './permanent-error.ts';

/** One message to one recipient. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** With angle brackets; the same for every hand-over of the same message. */
  readonly messageId: string;
}

/** Hands messages over to a mail server. */
export interface MailGateway {
  /**
   * Resolves once the server took the message. Rejects with `PermanentDeliveryError` when it never will, else with
   * another error.
   */
  send(mail: Mail): Promise<void>;
  close(): void;
}

/** Connections to the mail server, and so messages that one process hands over at the same time. */
export const MAIL_CONNECTIONS = 5;

/** A gateway to the SMTP server at `url` (`smtp://user:password@host:port`, or `smtps://`). */
export function createSmtpGateway({ url, from }: { url: string; from: string }): MailGateway {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: MAIL_CONNECTIONS,
    maxRequeues: 0,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    dnsTimeout: 10_000,
    socketTimeout: 30_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  transport.on('error', () => {}); // an idle connection broke; the next message opens another or reports
  return {
    send: async ({ to, subject, text, html, messageId }) => {
      try {
        await transport.sendMail({
          from,
          to: { name: '', address: to },
          subject,
          text,
          html,
          messageId,
          headers: { 'Auto-Submitted': 'auto-generated' },
        });
      } catch (error) {
        throw permanentOf(error) ?? error;
      }
    },
    close: () => transport.close(),
  };
}

/**
 * Only a verdict on the recipient or on the message itself is permanent: a refused log-in or sender is a fault of our
 * settings, which an operator can put right while the messages wait.
 */
function permanentOf(error: unknown): PermanentDeliveryError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, command, responseCode } = readSmtpFields(error);
  const isVerdict = command === 'RCPT TO' || code === 'EMESSAGE' || (command === 'DATA' && code === 'EENVELOPE');
  if (isVerdict && responseCode !== undefined && responseCode >= 500) {
    return new PermanentDeliveryError(error.message, { status: String(responseCode), cause: error });
  }
  const isBadAddress = code === 'EENVELOPE' && command === 'API' && /recipient/i.test(error.message);
  return isBadAddress
    ? new PermanentDeliveryError(error.message, { status: 'invalid address', cause: error })
    : undefined;
}

function readSmtpFields(error: Error): { code: unknown; command: unknown; responseCode: number | undefined } {
  const responseCode = 'responseCode' in error ? error.responseCode : undefined;
  return {
    code: 'code' in error ? error.code : undefined,
    command: 'command' in error ? error.command : undefined,
    responseCode: typeof responseCode === 'number' ? responseCode : undefined,
  };
}
