import type { Db, SystemDb } from '../../src/postgres/client.ts';

/** One thing that the product does, and how many rows it is about. */
export interface FlatCase {
  readonly name: string;
  readonly asked: number;
  /** Makes what must be there first, which does not count, and answers the thing itself. */
  readonly prepare: (db: Db, system: SystemDb) => Promise<() => Promise<unknown>>;
}

/** A case that needs nothing to be there. */
export function flatCase(name: string, asked: number, work: (db: Db, system: SystemDb) => Promise<unknown>): FlatCase {
  return { name, asked, prepare: async (db, system) => () => work(db, system) };
}
