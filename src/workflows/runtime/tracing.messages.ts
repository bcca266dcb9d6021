import type { Sinks } from '@temporalio/workflow';

/**
 * Header of calls, and of the activities that follow from them, by which the SDKs' own tracing interceptors know a
 * trace, too.
 */
export const TRACE_HEADER = '_tracer-data';

/** A moment of a workflow, for the worker to export; nothing is sent in replay. */
export interface WorkflowMoment {
  readonly name: string;
  /** W3C `traceparent` of what caused it. */
  readonly parent: string;
  readonly spanId: string;
  /** Milliseconds since the epoch, in workflow time. */
  readonly at: number;
}

/** How moments leave a workflow. */
export interface TracingSinks extends Sinks {
  readonly tracing: { moment(moment: WorkflowMoment): void };
}
