/** The store or the bus is away: not the message's fault, so it is delivered again for as long as that takes. */
export class InfrastructureError extends Error {
  override name = 'InfrastructureError';
}

/** The store answers, but refuses to save what the effect has done: the effect's fault, as if it had thrown. */
export class EffectRefusedError extends Error {
  override name = 'EffectRefusedError';
}

/** An `InfrastructureError` that says what failed. */
export function infrastructureError(what: string, cause: unknown): InfrastructureError {
  if (cause instanceof InfrastructureError) return cause;
  return new InfrastructureError(`${what} failed: ${cause instanceof Error ? cause.message : String(cause)}`, {
    cause,
  });
}
