import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';

/** A message as a mailbox would show it. */
export interface ReceivedMail {
  /** Of the envelope. */
  readonly to: readonly string[];
  readonly from: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly messageId: string;
}

/** A mail server that keeps what it is given. */
export interface MailServer {
  readonly url: string;
  readonly port: number;
  readonly received: ReceivedMail[];
  /** Recipients it answers with this code, such as 550. */
  readonly refusals: Map<string, number>;
  /** Awaited when a message has arrived, before the server says so to the sender. */
  beforeReply: (mail: ReceivedMail) => void | Promise<void>;
  close(): Promise<void>;
}

/** Starts a mail server on a loopback port, by default any free one. */
export async function startMailServer({ port = 0 } = {}): Promise<MailServer> {
  const received: ReceivedMail[] = [];
  const refusals = new Map<string, number>();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    logger: false,
    closeTimeout: 10,
    onRcptTo: ({ address }, _session, callback) => {
      const code = refusals.get(address);
      callback(
        code === undefined ? null : Object.assign(new Error(`<${address}> is not wanted here`), { responseCode: code }),
      );
    },
    onData: (stream, session, callback) => {
      void (async () => {
        const mail = await parse(
          await new Response(stream.map((chunk: Buffer) => new Uint8Array(chunk))).arrayBuffer(),
        );
        const complete = { ...mail, to: session.envelope.rcptTo.map(({ address }) => address) };
        received.push(complete);
        await state.beforeReply(complete);
      })().then(() => callback(null), callback);
    },
  });
  server.on('error', () => {}); // a sender that dies in mid-conversation is part of the tests
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.server.address();
  if (address === null || typeof address === 'string') throw new Error('the mail server listens on no port');
  const state: MailServer = {
    url: `smtp://127.0.0.1:${address.port}`,
    port: address.port,
    received,
    refusals,
    beforeReply: () => {},
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
  return state;
}

async function parse(raw: ArrayBuffer): Promise<Omit<ReceivedMail, 'to'>> {
  const { from, subject = '', text = '', html = '', messageId = '' } = await PostalMime.parse(raw);
  return { from: from?.address ?? '', subject, text, html, messageId };
}
