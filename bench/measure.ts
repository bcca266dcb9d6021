import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';

/** One measured figure; `ratio` is to the baseline of the same run. */
export interface Figure {
  readonly section: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly ratio?: number;
}

/** Rate and latencies of `count` calls, `inFlight` at a time. */
export interface Load {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Calls `work` with 0, 1, 2 … `count - 1`, `inFlight` at a time. */
export async function drive(count: number, inFlight: number, work: (index: number) => Promise<void>): Promise<Load> {
  const latencies: number[] = [];
  let next = 0;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (next < count) {
        const index = next;
        next += 1;
        const begunAt = performance.now();
        await work(index);
        latencies.push(performance.now() - begunAt);
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  const sorted = latencies.toSorted((a, b) => a - b);
  return { perSecond: count / seconds, p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99) };
}

/** The median of several rounds. */
export function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

/** The value below which a share `q` of the sorted values lies. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

const TICK_MS = 10; // USER_HZ is 100 on Linux

/** CPU time in milliseconds that a process and all its descendants that still run have used. */
export function cpuMs(pid: number): number {
  const stats = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        const read = readStat(Number(name));
        return read === undefined ? [] : [[Number(name), read] as const];
      }),
  );
  const total = (root: number): number =>
    [...stats].reduce(
      (sum, [child, { parent }]) => (parent === root ? sum + total(child) : sum),
      stats.get(root)?.ticks ?? 0,
    );
  return total(pid) * TICK_MS;
}

function readStat(pid: number): { parent: number; ticks: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    // After the name: state, parent, …; user and system time, own and of children that ended, are fields 12 to 15.
    return {
      parent: Number(fields[1]),
      ticks: [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0),
    };
  } catch {
    return undefined; // it has ended meanwhile
  }
}

/** Process id of the PostgreSQL server at `url`, of which all its connections are children. */
export async function postmasterOf(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const {
    rows: [row],
  } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const parent = readStat(row?.pid ?? 0)?.parent;
  await client.end();
  if (parent === undefined) throw new Error('PostgreSQL runs on another machine');
  return parent;
}

/** Resident memory of a process in kB. */
export function residentKb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN);
}
