import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';

/** A request as it is written on the wire: no client tidies its path up. */
export interface RawRequest {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** The address that it comes from. */
  readonly from?: string;
}

/** What came back. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The parsed JSON; of another text, undefined. */
  readonly body: unknown;
}

/** Sends a request to a port of this machine. */
export async function ask(
  port: number,
  { path, method = 'GET', headers = {}, body, from = '127.0.0.1' }: RawRequest,
): Promise<RawAnswer> {
  const sent = request({ host: '127.0.0.1', port, path, method, localAddress: from, headers: { ...headers } });
  sent.end(body);
  const [answer]: IncomingMessage[] = await once(sent, 'response');
  if (answer === undefined) throw new Error('no answer came');
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += String(chunk);
  const isJson = /json/.test(answer.headers['content-type'] ?? '');
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    text,
    body: isJson && text !== '' ? (JSON.parse(text) as unknown) : undefined,
  };
}
