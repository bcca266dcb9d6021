import { isGrpcServiceError, ServiceError } from '@temporalio/client';

/** The gRPC status code by which a call of the client failed; undefined: it failed otherwise. */
export function grpcCodeOf(error: unknown): number | undefined {
  const grpc = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(grpc) ? grpc.code : undefined;
}
