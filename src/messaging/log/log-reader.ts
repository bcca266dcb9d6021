import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from '../../postgres/listen.ts';
import { readLog, usedPartitions, type Log, type LogPool, type LogRow } from './log.ts';
import {
  acquirePartitions,
  endMembership,
  keepMembership,
  renewPartitions,
  saveCursors,
  type PartitionCursor,
} from './log-leases.ts';
import { createWakeup } from './wakeup.ts';

/** NOTIFY channel that wakes readers. The payload is the table that got rows, or the reader whose members changed. */
export const LOG_CHANNEL = 'steadfast_log';

const DEFAULT_LEASE_MS = 10_000;
const DEFAULT_BATCH_SIZE = 200;
const RETRY_MS = 500;

/** What a reader is built from. */
export interface LogReaderOptions<Column extends string> {
  readonly pool: LogPool;
  /** Names the cursors: processes that give the same name share the partitions, each held by one of them. */
  readonly reader: string;
  readonly log: Log;
  readonly columns: readonly Column[];
  /** Partitions that are written to; those that hold rows from before are read as well. */
  readonly partitions: number;
  readonly pollMs: number;
  /** How long the partitions of a process that died stay untouched; 10 s. */
  readonly leaseMs?: number;
  readonly batchSize?: number;
  /**
   * Handles rows of one partition, in order, and returns how many, counted from the first, are done with; the others
   * are read again. Once `signal` is aborted it should return soon: another process is to get the partition.
   */
  readonly handle: (rows: readonly LogRow<Column>[], signal: AbortSignal) => Promise<number>;
  /** Called for failures that are tried again by themselves. */
  readonly onError: (error: unknown) => void;
}

/** A running reader. */
export interface LogReader {
  /** The partitions this process holds. */
  partitions(): number[];
  /** Ends after the rows under way, saves the cursors and leaves the partitions to others. */
  stop(): Promise<void>;
}

interface Held {
  readonly partition: number;
  cursor: PartitionCursor['cursor'];
  isSaved: boolean;
  readonly turn: AbortController;
  working: Promise<void> | undefined;
}

/** Reads a log together with the reader's other members: at least once, in order in each partition. */
export function startLogReader<Column extends string>(options: LogReaderOptions<Column>): LogReader {
  const {
    pool,
    reader,
    log,
    columns,
    pollMs,
    leaseMs = DEFAULT_LEASE_MS,
    batchSize = DEFAULT_BATCH_SIZE,
    onError,
  } = options;
  const self = { reader, member: `${hostname()}:${process.pid}:${randomUUID()}` };
  const held = new Map<number, Held>();
  const [pumpWake, balanceWake] = [createWakeup(), createWakeup()];
  let readable: Set<number> | undefined;
  let expiry: NodeJS.Timeout | undefined;
  let isMember = false;
  let isLeaving = false;
  let isDone = false;

  const stopListening = listen(pool, LOG_CHANNEL, (payload) => {
    if (payload === log.table || payload === '') pumpWake.notify();
    if (payload === membersOf(reader) || payload === '') balanceWake.notify();
  });
  const tellMembers = () => pool.query('SELECT pg_notify($1, $2)', [LOG_CHANNEL, membersOf(reader)]);

  /** Prolongs the leases, gives up partitions that are another member's share, takes free ones of its own share. */
  async function balance(): Promise<void> {
    if (isLeaving) return keepLeases();
    readable ??= new Set([...Array.from({ length: options.partitions }).keys(), ...(await usedPartitions(pool, log))]);
    const members = await keepMembership(pool, { ...self, leaseMs });
    if (!isMember) await tellMembers();
    isMember = true;
    await keepLeases();
    const own = new Set([...readable].filter((partition) => members[partition % members.length] === self.member));
    for (const entry of held.values()) if (!own.has(entry.partition)) giveUpSoon(entry);
    const partitions = [...own].filter((partition) => !held.has(partition));
    for (const { partition, cursor } of await acquirePartitions(pool, { ...self, partitions, leaseMs })) {
      held.set(partition, { partition, cursor, isSaved: true, turn: new AbortController(), working: undefined });
    }
    if (partitions.length > 0) pumpWake.notify();
  }

  async function keepLeases(): Promise<void> {
    const askedAtMs = performance.now();
    const kept = new Set(await renewPartitions(pool, { ...self, partitions: [...held.keys()], leaseMs }));
    for (const entry of held.values()) if (!kept.has(entry.partition)) giveUpSoon(entry);
    clearTimeout(expiry);
    // The leases were not prolonged in time, so others may hold the partitions: nothing more may be started.
    expiry = setTimeout(
      () => {
        for (const entry of held.values()) giveUpSoon(entry);
      },
      leaseMs - (performance.now() - askedAtMs),
    );
  }

  async function giveUp(entry: Held): Promise<void> {
    if (entry.turn.signal.aborted) return entry.working;
    entry.turn.abort();
    const handling = entry.working;
    entry.working = (async () => {
      await handling;
      try {
        await saveCursors(pool, { ...self, cursors: [entry], release: true });
        await tellMembers();
      } catch (error) {
        onError(error);
      }
      held.delete(entry.partition); // not before: taken again too early, two batches of it would be in hand at once
      balanceWake.notify();
    })();
    return entry.working;
  }
  const giveUpSoon = (entry: Held): void => {
    void giveUp(entry);
  };

  /** Saves the cursors of finished batches, then reads on in each partition without rows under way. */
  async function pump(): Promise<void> {
    const idle = [...held.values()].filter(({ working, turn }) => working === undefined && !turn.signal.aborted);
    const unsaved = idle.filter(({ isSaved }) => !isSaved);
    const saved = new Set(await saveCursors(pool, { ...self, cursors: unsaved, release: false }));
    for (const entry of unsaved) {
      if (saved.has(entry.partition)) entry.isSaved = true;
      else giveUpSoon(entry);
    }
    const from = isLeaving ? [] : idle.filter(({ turn }) => !turn.signal.aborted);
    if (from.length === 0) return;
    const rows = await readLog(pool, { log, columns, from, limit: batchSize });
    for (const [partition, batch] of Map.groupBy(rows, (row) => row.partition)) {
      const entry = held.get(partition);
      if (entry === undefined || entry.turn.signal.aborted || isLeaving) continue;
      entry.working = work(entry, batch);
    }
  }

  async function work(entry: Held, rows: readonly LogRow<Column>[]): Promise<void> {
    try {
      const last = rows[(await options.handle(rows, entry.turn.signal)) - 1];
      if (last !== undefined) {
        entry.cursor = { ...entry.cursor, xid: last.xid, position: last.position };
        entry.isSaved = false;
      } else {
        await sleep(RETRY_MS, undefined, { signal: entry.turn.signal }).catch(() => {});
      }
    } catch (error) {
      onError(error);
      await sleep(RETRY_MS);
    }
    if (!entry.turn.signal.aborted) entry.working = undefined;
    pumpWake.notify();
  }

  async function repeat(
    step: () => Promise<void>,
    wake: ReturnType<typeof createWakeup>,
    intervalMs: number,
  ): Promise<void> {
    while (!isDone) {
      const failed = await step().then(
        () => false,
        (error: unknown) => {
          onError(error);
          return true;
        },
      );
      await (failed ? sleep(Math.min(intervalMs, RETRY_MS)) : wake.wait(intervalMs));
    }
  }
  const loops = [repeat(balance, balanceWake, leaseMs / 3), repeat(pump, pumpWake, pollMs)];

  return {
    partitions: () => [...held.keys()].toSorted((a, b) => a - b),
    stop: async () => {
      isLeaving = true; // the leases are kept until the rows in hand are done
      await Promise.all([...held.values()].map(giveUp));
      isDone = true;
      pumpWake.notify();
      balanceWake.notify();
      await Promise.all(loops);
      await Promise.all([...held.values()].map(giveUp)); // what a last round of balance had asked for
      clearTimeout(expiry);
      await stopListening();
      await endMembership(pool, self).then(tellMembers).catch(onError);
    },
  };
}

function membersOf(reader: string): string {
  return `members:${reader}`;
}
