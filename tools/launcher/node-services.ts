import { fileURLToPath } from 'node:url';
import { showPinoProblems } from './child-log.ts';
import type { Service } from './supervisor.ts';

const HEALTH_TIMEOUT_MS = 2_000;

/** One of our own processes, healthy when `healthUrl` answers 200. */
export function nodeService({
  name,
  script,
  healthUrl,
  env,
  stopTimeoutMs,
}: {
  name: string;
  script: string;
  healthUrl: string;
  env: Record<string, string>;
  stopTimeoutMs: number;
}): Service {
  const file = fileURLToPath(new URL(`../../${script}`, import.meta.url));
  return {
    name,
    command: { file: process.execPath, args: [file] },
    env,
    channel: true,
    healthy: async () => (await fetch(healthUrl, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) })).ok,
    startTimeoutMs: 90_000,
    stop: { signal: 'SIGTERM', hurry: 'SIGKILL', timeoutMs: stopTimeoutMs },
    toTerminal: showPinoProblems,
  };
}
