import { WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { grpcCodeOf } from '../temporal/grpc-code.ts';

/** What Temporal's silence means. `timeout`: it was reached, but nothing came back in time. */
export type TemporalSilence = 'away' | 'timeout';

const GRPC_CANCELLED = 1;
const GRPC_DEADLINE_EXCEEDED = 4;
const GRPC_RESOURCE_EXHAUSTED = 8;
const GRPC_FAILED_PRECONDITION = 9; // a query for which no worker has polled of late
const GRPC_UNAVAILABLE = 14;

/** Whether, and how, `error` says that Temporal does not answer. */
export function temporalSilence(error: unknown): TemporalSilence | undefined {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return 'timeout';
  switch (grpcCodeOf(error)) {
    case GRPC_CANCELLED:
    case GRPC_DEADLINE_EXCEEDED: return 'timeout';
    case GRPC_RESOURCE_EXHAUSTED:
    case GRPC_FAILED_PRECONDITION:
    case GRPC_UNAVAILABLE: return 'away';
    default: return undefined;
  }
}
