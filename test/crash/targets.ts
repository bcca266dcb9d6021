const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
// These name nobody; they are about what was read before.
const SAVES_CURSORS = /UPDATE log_cursors AS c SET xid/;
const CLAIMS_CALLS = /UPDATE pending_starts AS c SET attempts/;
const SETTLES_CALLS = /(DELETE FROM|UPDATE) pending_starts AS p /;

/** A user whose statements are watched. */
export interface Target {
  readonly name: string;
  /** Nothing counts before the statement that begins the flow. */
  hasBegun: boolean;
  isHeld: boolean;
  /** How often each statement came. */
  readonly occurrences: Map<string, number>;
}

interface Place {
  readonly partition: number;
  readonly position: bigint;
  readonly target: Target;
}

/** Which of the targets a statement, or what it read, is about. */
export interface Targets {
  namedBy(text: string, values: unknown): Target[];
  readIn(text: string, result: unknown): Target[];
}

/** Tells the targets by their ids, once `from` matches a statement of theirs: its text, parameters or rows. */
export function createTargets(names: readonly string[], from: RegExp): Targets {
  // By the target's id, and by those of what was written with it, such as its notifications.
  const byId = new Map<string, Target>(
    names.map((name) => [name, { name, hasBegun: false, isHeld: false, occurrences: new Map() }]),
  );
  /** Rows of theirs in logs, until a cursor goes past them. */
  const unsaved = new Set<Place>();
  /** Calls of theirs that were claimed, by position. */
  const calls = new Map<string, Target>();

  const find = (text: string, data: string): Target[] => {
    const found = new Set((data.match(UUID) ?? []).flatMap((id) => byId.get(id) ?? []));
    if (from.test(`${text} ${data}`)) for (const target of found) target.hasBegun = true;
    return [...found].filter(({ hasBegun }) => hasBegun);
  };

  return {
    namedBy: (text, values) => {
      if (SAVES_CURSORS.test(text)) return saved(unsaved, values);
      if (SETTLES_CALLS.test(text))
        return listOf(listOf(values)[1]).flatMap((position) => calls.get(String(position)) ?? []);
      const data = textOf(values);
      const found = find(text, data);
      const [only] = found;
      if (only !== undefined && found.length === 1)
        for (const id of data.match(UUID) ?? []) byId.set(id, byId.get(id) ?? only);
      return found;
    },
    readIn: (text, result) =>
      rowsOf(result).flatMap((row) => {
        const found = find(text, textOf(row));
        for (const target of found) {
          if (isPlace(row)) unsaved.add({ partition: row.partition, position: BigInt(row.position), target });
          if (CLAIMS_CALLS.test(text) && hasPosition(row)) calls.set(row.position, target);
        }
        return found;
      }),
  };
}

function saved(unsaved: Set<Place>, values: unknown): Target[] {
  const [, , partitions, , , positions] = listOf(values);
  if (!Array.isArray(partitions) || !Array.isArray(positions)) return [];
  const past = [...unsaved].filter(({ partition, position }) => {
    const index = partitions.indexOf(partition);
    return index >= 0 && BigInt(String(positions[index])) >= position;
  });
  for (const place of past) unsaved.delete(place);
  return [...new Set(past.map(({ target }) => target))];
}

function hasPosition(row: unknown): row is { position: string } {
  return typeof row === 'object' && row !== null && 'position' in row && typeof row.position === 'string';
}

function isPlace(row: unknown): row is { partition: number; position: string } {
  return hasPosition(row) && 'partition' in row && typeof row.partition === 'number' && 'xid' in row;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function rowsOf(result: unknown): readonly unknown[] {
  return typeof result === 'object' && result !== null && 'rows' in result ? listOf(result.rows) : [];
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? '';
}
