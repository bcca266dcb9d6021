import { z } from 'zod';
import { integer, port, share, type Setting } from './setting.ts';

/** Settings of the API and of both processes' HTTP. */
export const httpSettings = {
  PORT: ['3000', port],
  HOST: ['127.0.0.1', z.string().min(1)],
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
