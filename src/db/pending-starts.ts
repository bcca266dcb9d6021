import type { Prisma } from './generated/client.ts';
import type { Tx } from './client.ts';

/** Channel that wakes the relay; a lost wake-up costs one polling interval, nothing else. */
export const PENDING_START_CHANNEL = 'pending_start';

/** A call on a workflow, promised in the transaction of the row it belongs to and carried out by the relay. */
export interface PromisedCall {
  readonly tenantId: string;
  /** `signal`: to an open workflow only; nothing is to be done when it is closed. */
  readonly kind: 'start' | 'signal_with_start' | 'signal';
  readonly workflowType: string;
  readonly workflowId: string;
  /** Input of the workflow, for the kinds that may start one. */
  readonly input?: object;
  readonly signal?: { readonly name: string; readonly arg?: object };
}

/** Promises the calls: they are carried out at least once, in order for each workflow, once the transaction commits. */
export async function promiseCalls(tx: Tx, calls: readonly PromisedCall[]): Promise<void> {
  if (calls.length === 0) return;
  await tx.pendingStart.createMany({
    data: calls.map(({ tenantId, kind, workflowType, workflowId, input, signal }) => ({
      tenantId, kind, workflowType, workflowId,
      ...(input === undefined ? {} : { input: input as Prisma.InputJsonObject }),
      ...(signal === undefined ? {} : { signalName: signal.name }),
      ...(signal?.arg === undefined ? {} : { signalArg: signal.arg as Prisma.InputJsonObject }),
    })),
  });
  await tx.$queryRaw`SELECT pg_notify(${PENDING_START_CHANNEL}, '')::text`;
}
