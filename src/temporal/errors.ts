import { isGrpcServiceError, ServiceError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';

/** What Temporal's silence means. `timeout`: it was reached, but nothing came back in time. */
export type TemporalOutage = 'away' | 'timeout';

const GRPC_CANCELLED = 1;
const GRPC_DEADLINE_EXCEEDED = 4;
const GRPC_RESOURCE_EXHAUSTED = 8;
// A query for which no worker has polled of late, or an Update to a run that has had as many as it may.
const GRPC_FAILED_PRECONDITION = 9;
const GRPC_ABORTED = 10;
const GRPC_INTERNAL = 13;
const GRPC_UNAVAILABLE = 14;

const REFUSED_AT_CONNECTING = /PermissionDenied|Unauthenticated|InvalidArgument|NotFound/;

/**
 * The gRPC status code by which a call of the client or of the worker's connection failed; undefined: it failed
 * otherwise.
 */
export function grpcCodeOf(error: unknown): number | undefined {
  if (!(error instanceof ServiceError || isGrpcServiceError(error))) return undefined;
  // The client wraps gRPC's error; the worker's connection throws one of the same name that has the code itself.
  if ('code' in error && typeof error.code === 'number') return error.code;
  return error instanceof ServiceError ? grpcCodeOf(error.cause) : undefined;
}

/** Whether, and how, `error` says that Temporal does not answer. */
export function temporalOutage(error: unknown): TemporalOutage | undefined {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return 'timeout';
  switch (grpcCodeOf(error)) {
    case GRPC_CANCELLED:
    case GRPC_DEADLINE_EXCEEDED:
      return 'timeout';
    case GRPC_RESOURCE_EXHAUSTED:
    case GRPC_FAILED_PRECONDITION:
    case GRPC_UNAVAILABLE:
      return 'away';
    default:
      return undefined;
  }
}

/** Whether an Update was not made since a limit was reached: of those at once, or of those of one run. */
export function isTemporalFull(error: unknown): boolean {
  const code = grpcCodeOf(error);
  return code === GRPC_RESOURCE_EXHAUSTED || code === GRPC_FAILED_PRECONDITION;
}

/** Whether a process that starts should wait: Temporal is out of reach, or its own parts are still coming up. */
export function isTemporalAway(error: unknown): boolean {
  if (temporalOutage(error) !== undefined) return true;
  // The worker's SDK, which the API does not load, says in words alone what came back when it connected.
  if (error instanceof Error && error.name === 'TransportError') return !REFUSED_AT_CONNECTING.test(error.message);
  const code = grpcCodeOf(error);
  return code === GRPC_ABORTED || code === GRPC_INTERNAL;
}
