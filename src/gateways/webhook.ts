import { signatureOf } from './signature.ts';

const TIMEOUT_MS = 10_000;

/** Tells another system by an HTTP call. */
export interface WebhookGateway {
  /**
   * Resolves on a 2xx answer. `id` is the same for every call about the same thing and goes out as `Idempotency-Key`.
   */
  post(payload: { readonly id: string; readonly body: object }): Promise<void>;
}

/** A gateway that posts JSON to `url`; signed when there is a `secret`; it follows no redirect and waits 10 s. */
export function createWebhookGateway({
  url,
  secret,
}: {
  readonly url: string;
  readonly secret?: string | undefined;
}): WebhookGateway {
  return {
    post: async ({ id, body: payload }) => {
      const body = JSON.stringify(payload);
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          'content-type': 'application/json',
          'idempotency-key': id,
          ...(secret === undefined ? {} : signatureOf({ body, secret })),
        },
        body,
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`the webhook answered ${response.status}`);
    },
  };
}
