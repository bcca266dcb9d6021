/** The store or the bus is away: not the message's fault, so it is delivered again for as long as that takes. */
export class InfrastructureError extends Error {
  override name = 'InfrastructureError';
}

/** Resolves or rejects as `work` does, but with an `InfrastructureError` that says what failed. */
export async function infrastructure<Result>(what: string, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw new InfrastructureError(`${what} failed: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
