import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { SystemDb } from '../postgres/client.ts';
import { acquireLease, releaseLease, withLease } from '../postgres/leases.ts';
import type { MailGateway } from '../gateways/mail.ts';
import { createWebhookGateway } from '../gateways/webhook.ts';
import { createPollLoop, type PollLoop } from '../postgres/poll-loop.ts';
import { alertChannels } from './channels.ts';
import type { Check } from './check.ts';
import { createChecks } from './checks.ts';
import { deliverAlerts } from './delivery.ts';
import { ALERT_CHANNEL, clearUnsighted, raiseAlert } from '../db/alerts/raise-alert.ts';

/** What the alert loop is built from; without `mail` no alert goes out by e-mail. */
export interface AlertLoopDeps {
  readonly system: SystemDb;
  readonly client: Client;
  readonly config: Config;
  readonly mail: MailGateway | undefined;
  readonly logger: Logger;
  readonly checks?: readonly Check[];
  /** Pause after the first failed delivery of an alert. */
  readonly firstDelayMs?: number;
  /** How long a condition that comes and goes must be gone before that is told. */
  readonly calmMs?: number;
}

/** The alert loop, and one round of it. */
export interface AlertLoop extends Pick<PollLoop, 'start' | 'wake' | 'stop'> {
  /** Does one round now; false: another process holds the lease. */
  runOnce(): Promise<boolean>;
}

const LEASE = 'alerts';
/** Longer than a round takes even when Temporal answers none of the checks. */
const LEAST_LEASE_MS = 60_000;

/**
 * Runs every check each `ALERT_CHECK_INTERVAL_MS` and delivers the alerts. Runs in the API processes, not in Temporal,
 * which it watches; of any number of loops the one that holds the lease acts.
 */
export function createAlertLoop(deps: AlertLoopDeps): AlertLoop {
  const { system, config, logger } = deps;
  const checks = deps.checks ?? createChecks();
  const claim = {
    name: LEASE,
    owner: `${hostname()}:${process.pid}:${randomUUID()}`,
    ttlMs: Math.max(LEAST_LEASE_MS, 3 * config.ALERT_CHECK_INTERVAL_MS),
  };

  const runOnce = () =>
    withLease(system.pool, claim, async () => {
      for (const check of checks) {
        await runCheck(deps, check);
        if (!(await acquireLease(system.pool, claim))) return;
      }
      await deliverAlerts({
        system,
        mail: deps.mail,
        webhookUrl: config.ALERT_WEBHOOK_URL,
        webhookAt: (url) => createWebhookGateway({ url, secret: config.ALERT_WEBHOOK_SECRET }),
        logger,
        isOnDuty: () => acquireLease(system.pool, claim),
        ...(deps.firstDelayMs === undefined ? {} : { firstDelayMs: deps.firstDelayMs }),
        ...(deps.calmMs === undefined ? {} : { calmMs: deps.calmMs }),
      });
    });
  const loop = createPollLoop({
    name: LEASE,
    channel: ALERT_CHANNEL,
    pollMs: config.ALERT_CHECK_INTERVAL_MS,
    pool: system.pool,
    logger,
    runOnce: async () => {
      await runOnce();
      return false;
    },
  });

  return {
    runOnce,
    start: () => loop.start(),
    wake: () => loop.wake(),
    stop: async () => {
      await loop.stop();
      await releaseLease(system.pool, claim).catch((error: unknown) =>
        logger.debug({ err: error }, 'the lease of the alerts runs out by itself'),
      );
    },
  };
}

/** A check that fails changes no alert and does not keep the others from running. */
async function runCheck(deps: AlertLoopDeps, check: Check): Promise<void> {
  try {
    const findings = await check.run(deps);
    if (findings === 'unknown') return;
    await deps.system.acrossTenants(async (tx) => {
      for (const finding of findings)
        await raiseAlert(tx, { ...finding, kind: check.kind }, alertChannels(deps.config));
      await clearUnsighted(tx, check.kind, findings);
    });
  } catch (error) {
    deps.logger.error({ err: error, check: check.kind }, 'a check failed; its alerts stay as they are');
  }
}
