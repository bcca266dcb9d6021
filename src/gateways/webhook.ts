const TIMEOUT_MS = 10_000;

/** Tells another system by an HTTP call. */
export interface WebhookGateway {
  /**
   * Resolves on a 2xx answer. `id` is the same for every call about the same thing and goes out as `Idempotency-Key`.
   */
  post(payload: { readonly id: string; readonly body: object }): Promise<void>;
}

/** A gateway that posts JSON to `url`; it follows no redirect and waits 10 s for an answer. */
export function createWebhookGateway({ url }: { url: string }): WebhookGateway {
  return {
    post: async ({ id, body }) => {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: { 'content-type': 'application/json', 'idempotency-key': id },
        body: JSON.stringify(body),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`the webhook answered ${response.status}`);
    },
  };
}
