import type { Config } from '../config/config.ts';
import { PermanentDeliveryError } from './permanent-error.ts';
import { signatureOf } from './signature.ts';

const TIMEOUT_MS = 10_000;

/**
 * Answers that put off: a wrong secret or address is a fault of our settings, which an operator can put right
 * meanwhile.
 */
const PUT_OFF: ReadonlySet<number> = new Set([401, 403, 404, 408, 425, 429]);

/** One text message to one recipient. */
export interface Sms {
  /** The same for every hand-over of the same message. */
  readonly id: string;
  /** As the user gave it, without spaces and punctuation. */
  readonly to: string;
  readonly text: string;
}

/** Hands text messages over to whoever sends them. */
export interface SmsGateway {
  /**
   * Resolves once it was taken. Rejects with `PermanentDeliveryError` when it never will be, else with another error.
   */
  send(sms: Sms): Promise<void>;
}

/**
 * A gateway that posts `{"to", "text"}` to `url`, signed with `secret`. Headers: `Idempotency-Key` is the message's id,
 * `X-Steadfast-Timestamp` the time of this attempt in seconds since the epoch, and `X-Steadfast-Signature` is `v1=` and
 * the HMAC-SHA256, in hexadecimal, of the timestamp, a full stop and the body as it is sent.
 */
export function createSmsGateway({ url, secret }: { url: string; secret: string }): SmsGateway {
  return {
    send: async ({ id, to, text }) => {
      const body = JSON.stringify({ to, text });
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        body,
        headers: {
          'content-type': 'application/json',
          'idempotency-key': id,
          ...signatureOf({ body, secret }),
        },
      });
      await response.body?.cancel();
      if (response.ok) return;
      const message = `the SMS webhook answered ${response.status}`;
      const isFinal = response.status >= 400 && response.status < 500 && !PUT_OFF.has(response.status);
      throw isFinal ? new PermanentDeliveryError(message, { status: String(response.status) }) : new Error(message);
    },
  };
}

/** The gateway of the settings; undefined without a webhook. */
export function smsGatewayOf({
  SMS_WEBHOOK_URL: url,
  SMS_WEBHOOK_SECRET: secret,
}: Pick<Config, 'SMS_WEBHOOK_URL' | 'SMS_WEBHOOK_SECRET'>): SmsGateway | undefined {
  return url === undefined || secret === undefined ? undefined : createSmsGateway({ url, secret });
}
