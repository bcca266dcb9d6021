import { setTimeout as delay } from 'node:timers/promises';
import type { TestProcess } from '../support/processes.ts';
import { freePort } from '../support/services.ts';
import type { World } from '../support/world.ts';
import { spawnApi, spawnWorker } from '../support/processes.ts';
import type { Random } from './random.ts';

/** One place in the installation that is always manned: whoever is killed there has a successor. */
interface Place {
  readonly name: string;
  readonly start: () => Promise<TestProcess>;
  child: TestProcess;
}

/** Two APIs and two workers with faulty ports, which are killed and started again. */
export interface Fleet {
  /** Addresses of the APIs. */
  readonly apis: readonly string[];
  /** Kills one at random and starts its successor. */
  killOne(): Promise<string>;
}

/** Starts the processes; each start of a worker draws other faults. */
export async function startFleet({
  world,
  random,
  seed,
}: {
  world: World;
  random: Random;
  seed: number;
}): Promise<Fleet> {
  let starts = 0;
  const place = async (name: string, start: Place['start']): Promise<Place> => ({ name, start, child: await start() });
  const workers = await Promise.all(
    [1, 2].map(async (number) => {
      const port = String(await freePort());
      return place(`worker ${number}`, () => {
        starts += 1;
        const env = { WORKER_PORT: port, CHAOS_SEED: String(seed * 1_000 + starts) };
        return spawnWorker(world, { env, preload: new URL('faults.ts', import.meta.url) });
      });
    }),
  );
  const apis = await Promise.all(
    [1, 2].map(async (number) => {
      const port = String(await freePort());
      const url = `http://127.0.0.1:${port}`;
      return {
        url,
        place: await place(`api ${number}`, () => spawnApi(world, { env: { PORT: port } })),
      };
    }),
  );
  const places = [...workers, ...apis.map(({ place: api }) => api)];
  return {
    apis: apis.map(({ url }) => url),
    killOne: async () => {
      const victim = random.pick(places);
      await victim.child.kill();
      await delay(random.between(0, 300));
      victim.child = await victim.start();
      return victim.name;
    },
  };
}
