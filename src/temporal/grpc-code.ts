import { isGrpcServiceError, ServiceError } from '@temporalio/client';

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
