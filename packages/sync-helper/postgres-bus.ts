import type { Bus, Park } from '../../src/messaging/bus.ts';
import { createPostgresBus, type PostgresBusOptions } from '../../src/messaging/postgres/postgres-bus.ts';
import { openMemberPool } from '../../src/postgres/pool.ts';
import { isInfrastructureAway, warnOfParked } from './parking.ts';

/** How to take part in the bus on PostgreSQL. */
export interface PostgresBusSettings extends Partial<Omit<PostgresBusOptions, 'pool' | 'park'>> {
  /** `postgresql://` URL of Steadfast's database, with a login that was granted `steadfast_bus_member`. */
  readonly url: string;
  /** Role that the sessions assume: `steadfast_bus_member`. */
  readonly role?: string;
  /** Connections at most, beside one for each subscription: 5. */
  readonly poolSize?: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName?: string;
  /** Takes what no retry helped, poison above all. Without it a process warning is emitted. */
  readonly park?: Park;
}

/**
 * Opens the bus on PostgreSQL; no connection is made before the first use. `partitions` must be Steadfast's
 * BUS_PARTITIONS (8), `pollMs` is how late a message may be when its wake-up was lost (500 ms), `retryDelaysMs` the
 * pauses before each further attempt (200, 1,000 and 5,000 ms).
 */
export function postgresBus({
  url,
  role = 'steadfast_bus_member',
  poolSize = 5,
  applicationName = 'sync-helper',
  park = warnOfParked,
  ...rest
}: PostgresBusSettings): Bus {
  const pool = openMemberPool({ url, role, poolSize, applicationName });
  const bus = createPostgresBus({
    partitions: 8,
    pollMs: 500,
    retryDelaysMs: [200, 1_000, 5_000],
    isInfrastructureAway,
    ...rest,
    pool,
    park,
  });
  return {
    ...bus,
    close: async () => {
      await bus.close();
      await pool.end();
    },
  };
}
