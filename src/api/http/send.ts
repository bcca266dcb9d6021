import type { Response } from 'express';

/** Sends an answer whose body is JSON text already; from 400 on that is a problem. */
export function send(
  response: Response,
  {
    status,
    body,
    headers = {},
  }: { status: number; body: string | undefined; headers?: Readonly<Record<string, string>> | undefined },
): void {
  response.set(headers).status(status);
  if (body === undefined) return void response.end();
  // Not by Express, which adds a charset, for which JSON has no use.
  response.setHeader('Content-Type', status >= 400 ? 'application/problem+json' : 'application/json');
  response.end(body);
}
