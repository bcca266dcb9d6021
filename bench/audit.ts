import { randomUUID } from 'node:crypto';
import { AUDIT_WORKFLOWS, type AuditReport } from '../src/workflows/audits/audits.messages.ts';
import { until } from '../test/support/until.ts';
import { install } from './installation.ts';
import { cpuMs, drive, residentKb, type Figure } from './measure.ts';

/** One profile audit of `users` users with open workflows, nothing to repair. */
export async function benchAudit(users: number): Promise<Figure[]> {
  const installation = await install();
  const { system, client, config, worker, post } = installation;
  if (worker === undefined) throw new Error('the worker is missing');
  try {
    await drive(users, 50, async () => {
      const authSubject = randomUUID();
      await post('/users', { authSubject, email: `${authSubject}@example.com`, servicesToSync: ['accounting'] });
    });
    await until(async () => (await system.acrossTenants((tx) => tx.pendingStart.count())) === 0, {
      what: 'every workflow started',
      timeoutMs: 1_800_000,
    });
    await until(
      async () =>
        (
          await client.workflow.count(
            `TaskQueue = "${config.TASK_QUEUE}" AND WorkflowType = "profile" AND UserStatus = "pending_profile"`,
          )
        ).count === users,
      {
        what: 'every workflow listed',
        timeoutMs: 1_800_000,
      },
    );
    const cpuBefore = cpuMs(worker.pid);
    const residentBefore = residentKb(worker.pid);
    const startedAt = performance.now();
    const report = await client.workflow.execute<() => Promise<AuditReport>>(AUDIT_WORKFLOWS['profile-audit'], {
      workflowId: randomUUID(),
      taskQueue: config.TASK_QUEUE,
    });
    const seconds = (performance.now() - startedAt) / 1_000;
    if (report.checked !== users) throw new Error(`the audit checked ${report.checked} of ${users} users`);
    return [
      { section: 'audit', name: `audit of ${users} users`, value: seconds, unit: 's' },
      {
        section: 'audit',
        name: 'CPU of the worker for 1,000 users',
        value: ((cpuMs(worker.pid) - cpuBefore) / users) * 1_000,
        unit: 'ms',
      },
      {
        section: 'audit',
        name: `worker, ${users} open users, before the audit`,
        value: residentBefore / 1_024,
        unit: 'MB',
      },
      {
        section: 'audit',
        name: `worker, ${users} open users, after the audit`,
        value: residentKb(worker.pid) / 1_024,
        unit: 'MB',
      },
    ];
  } finally {
    await installation.close();
  }
}
