import type pg from 'pg';
import type { StepResult, StepWork } from '../../domain/process/step-work.ts';

/**
 * Does or undoes a step for a list of processes of one tenant, with an outcome for each in the order of the list, in
 * the transaction that also writes their rows. It may be called again for what it has done already, and does nothing
 * then.
 */
export type LocalStep = (client: pg.ClientBase, works: readonly StepWork[]) => Promise<readonly StepResult[]>;

/** The same by calls that leave the process, outside any transaction, until `signal` says that the time is up. */
export type RemoteStep = (works: readonly StepWork[], signal: AbortSignal) => Promise<readonly StepResult[]>;

/** Steps that can be taken in one transaction with others, by the names of their activities. */
export type LocalSteps = Readonly<Record<string, LocalStep>>;

/** What does a step. */
export type StepFunction = { readonly local: LocalStep } | { readonly remote: RemoteStep };
