import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { install, type Installation } from './installation.ts';
import { drive, median, type Figure, type Load } from './measure.ts';

const IN_FLIGHT = 50;
const ROUNDS = 3;

/** Registrations accepted per second, Temporal up and down, beside the same rows written by a bare transaction. */
export async function benchRegistrations(count: number): Promise<Figure[]> {
  const up = await install();
  const down = await install({ isTemporalAway: true });
  const bare = new pg.Pool({ connectionString: up.db.pool.options.connectionString, max: 20 });
  const loads: Record<'bare' | 'up' | 'down', Load[]> = { bare: [], up: [], down: [] };
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      loads.bare.push(await drive(count, IN_FLIGHT, () => writeBare(bare)));
      loads.down.push(await drive(count, IN_FLIGHT, () => register(down)));
      loads.up.push(await drive(count, IN_FLIGHT, () => register(up)));
    }
  } finally {
    await bare.end();
    await Promise.all([up.close(), down.close()]);
  }
  const rate = (name: keyof typeof loads): number => median(loads[name].map(({ perSecond }) => perSecond));
  return (['bare', 'up', 'down'] as const).flatMap((name): Figure[] => [
    { section: 'registrations', name: TITLES[name], value: rate(name), unit: '/s', ratio: rate(name) / rate('bare') },
    {
      section: 'registrations',
      name: `${TITLES[name]}, p99`,
      value: median(loads[name].map(({ p99Ms }) => p99Ms)),
      unit: 'ms',
    },
  ]);
}

const TITLES = {
  bare: 'bare transaction',
  up: 'POST /users, Temporal up',
  down: 'POST /users, Temporal down',
} as const;

async function register({ post }: Installation): Promise<void> {
  const authSubject = randomUUID();
  await post('/users', { authSubject, email: `${authSubject}@example.com`, name: 'Ada' });
}

/** The rows of one registration: a user, three services, two promised starts. */
async function writeBare(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  const id = randomUUID();
  try {
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO users (tenant_id, id, auth_subject, email, updated_at)
        VALUES ('bare', $1, $1::uuid::text, 'a@example.com', now())`,
      [id],
    );
    await client.query(
      `INSERT INTO user_sync_services (tenant_id, user_id, service) SELECT 'bare', $1, unnest(ARRAY['a', 'b', 'c'])`,
      [id],
    );
    await client.query(
      `INSERT INTO pending_starts (tenant_id, kind, workflow_type, workflow_id, next_attempt_at)
      SELECT 'bare', 'start', type, type || ':' || $1, 'infinity' FROM unnest(ARRAY['profile', 'userSync']) AS type`,
      [id],
    );
    await client.query('COMMIT');
  } finally {
    client.release();
  }
}
