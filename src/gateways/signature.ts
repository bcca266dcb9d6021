import { createHmac } from 'node:crypto';

/**
 * Headers that sign the body of a webhook: `X-Steadfast-Timestamp` is the time of this attempt in seconds since the
 * epoch, `X-Steadfast-Signature` is `v1=` and the HMAC-SHA256, in hexadecimal, of the timestamp, a full stop and the
 * body as it is sent.
 */
export function signatureOf({ body, secret }: { body: string; secret: string }): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return { 'x-steadfast-timestamp': timestamp, 'x-steadfast-signature': `v1=${signature}` };
}
