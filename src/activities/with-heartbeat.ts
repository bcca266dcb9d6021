import { Context } from '@temporalio/activity';
import { HEARTBEAT_TIMEOUT_MS } from '../domain/shared/heartbeat.ts';

/** Runs `work` and shows meanwhile that the worker lives; for activities scheduled with `HEARTBEAT_TIMEOUT_MS`. */
export async function withHeartbeat<Result>(work: () => Promise<Result>): Promise<Result> {
  const context = Context.current();
  context.heartbeat();
  const timer = setInterval(() => context.heartbeat(), HEARTBEAT_TIMEOUT_MS / 5);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
