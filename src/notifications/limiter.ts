/** Runs work when it is its turn. */
export type Limiter = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** A limiter that lets `most` pieces of work run at a time, first come first served. */
export function createLimiter(most: number): Limiter {
  const queue: (() => void)[] = [];
  let free = most;
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => queue.push(resolve));
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next === undefined) free += 1;
      else next(); // the place is handed on, so nobody slips in between
    }
  };
}
