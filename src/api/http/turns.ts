import pLimit, { type LimitFunction } from 'p-limit';

/** Lets so many tasks of one key run at a time; the others wait in their order. */
export interface Turns {
  /** Runs `task` once it is its turn among those of `key`. */
  run<Result>(key: string, task: () => Promise<Result>): Promise<Result>;
  /** How many keys have a task that runs or waits. */
  readonly size: number;
}

/** Turns of which each key has `atOnce`. A key is forgotten with its last task. */
export function createTurns(atOnce: number): Turns {
  const lanes = new Map<string, { readonly limit: LimitFunction; tasks: number }>();
  return {
    get size() {
      return lanes.size;
    },
    async run(key, task) {
      const lane = lanes.get(key) ?? { limit: pLimit(atOnce), tasks: 0 };
      lanes.set(key, lane);
      lane.tasks += 1;
      try {
        return await lane.limit(task);
      } finally {
        lane.tasks -= 1;
        if (lane.tasks === 0) lanes.delete(key);
      }
    },
  };
}
