import { z } from 'zod';
import { listenAddress } from './listen-address.ts';
import { integer, optional, port, share, type Setting } from './setting.ts';

const host = z
  .string()
  .min(1)
  .transform((text, context) => {
    const address = listenAddress(text);
    if (address === undefined) context.addIssue('this machine has no address in this subnet');
    return address ?? z.NEVER;
  });

/** Settings of the API and of both processes' HTTP. */
export const httpSettings = {
  PORT: ['3000', port],
  HOST: ['127.0.0.1', host],
  METRICS_PORT: ['', optional.pipe(port.optional())],
  METRICS_HOST: ['127.0.0.1', host],
  WORKER_PORT: ['9464', port],
  DATA_DIR: ['.data', z.string().min(1)],
  LOG_LEVEL: ['info', z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])],
  TRUST_PROXY_HOPS: ['0', integer(0, 10)],
  RATE_LIMIT_PER_MINUTE: ['600', integer(1)],
  BODY_LIMIT_KB: ['100', integer(1)],
  STREAMS_MAX: ['2000', integer(1)],
  STREAMS_TENANT_SHARE: ['0.5', share],
  STREAMS_CALLER_SHARE: ['0.5', share],
  STREAMS_USER_MAX: ['20', integer(1)],
  IDEMPOTENCY_KEY_HOURS: ['24', integer(1)],
} as const satisfies Record<string, Setting>;
