/**
 * The other side refused this recipient or this message for good. `status` (such as `550`) names nobody; `message` may.
 */
export class PermanentDeliveryError extends Error {
  override name = 'PermanentDeliveryError';
  readonly status: string;

  constructor(message: string, { status, cause }: { status: string; cause?: unknown }) {
    super(message, { cause });
    this.status = status;
  }
}
