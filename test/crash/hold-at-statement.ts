// Preloaded into a process under test (`node --import`). It watches every statement that the process sends to
// PostgreSQL and holds each of HOLD_TARGETS, users named by their ids, at the first point of its statements that the
// file HOLD_JOURNAL does not list yet: the process does not get beyond it before it is killed. A point lies before a
// statement, or after one that made something permanent; within a transaction, after a statement is before the next.
import { appendFileSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { createTargets, type Target } from './targets.ts';

const { HOLD_JOURNAL: journal = '', HOLD_TARGETS: names = '', HOLD_FROM: from = '' } = process.env;

type Query = (this: object, ...args: unknown[]) => unknown;

const passed = new Set(
  readFileSync(journal, 'utf8')
    .split('\n')
    .map((line) => line.split('\t')[1]),
);
const targets = createTargets(names.split(','), new RegExp(from));
/** The targets that a connection's open transaction has to do with; none: no transaction is open. */
const transactions = new WeakMap<object, Set<Target>>();

const prototype: { query: Query } = Object(pg.Client.prototype);
const { query } = prototype;
prototype.query = function watched(...args) {
  const { text, values } = statementOf(args);
  const callback = args.at(-1);
  if (/^BEGIN\b/i.test(text)) transactions.set(this, new Set());
  const transaction = transactions.get(this);
  const isEnd = /^(COMMIT|ROLLBACK)\b/i.test(text);
  const concerned = new Set([...(transaction ?? []), ...targets.namedBy(text, values)]);
  if (isHeld('before', text, concerned)) return typeof callback === 'function' ? undefined : new Promise(() => {});
  for (const target of concerned) transaction?.add(target);

  const isHeldAfter = (result: unknown): boolean => {
    for (const target of targets.readIn(text, result)) (transaction ?? concerned).add(target);
    if (isEnd) transactions.delete(this);
    return (isEnd || transaction === undefined) && isHeld('after', text, concerned);
  };
  if (typeof callback === 'function') {
    return query.call(this, ...args.slice(0, -1), (error: unknown, result: unknown): void => {
      if (error || !isHeldAfter(result)) callback(error, result);
    });
  }
  const [statement] = args;
  if (hasCallback(statement)) {
    const { callback: told } = statement;
    // One result for each of its parts; what it is about is the last.
    statement.callback = (error, results) => {
      if (error || !isHeldAfter([results].flat().at(-1))) told.call(statement, error, results);
    };
  }
  const sent = query.call(this, ...args);
  return sent instanceof Promise
    ? sent.then((result: unknown) => (isHeldAfter(result) ? new Promise(() => {}) : result))
    : sent;
};

// A call to another system is a point like a statement: before it is made, and before its answer is heard.
const { fetch: send } = globalThis;
globalThis.fetch = async (resource, init) => {
  const { body } = init ?? {};
  const text = `call ${new URL(resource instanceof Request ? resource.url : resource).pathname}`;
  const concerned = new Set(targets.namedBy(text, typeof body === 'string' ? body : null));
  if (isHeld('before', text, concerned)) return new Promise(() => {});
  const answer = await send(resource, init);
  return isHeld('after', text, concerned) ? new Promise(() => {}) : answer;
};

/** Whether one of the targets stays here: at a point where none was held before, or because it is held already. */
function isHeld(moment: 'before' | 'after', text: string, concerned: ReadonlySet<Target>): boolean {
  const statement = `${moment} ${text.replace(/\s+/g, ' ').trim().slice(0, 500)}`;
  let holds = false;
  for (const target of concerned) {
    if (target.isHeld) {
      holds = true;
      continue;
    }
    const occurrence = (target.occurrences.get(statement) ?? 0) + 1;
    target.occurrences.set(statement, occurrence);
    const point = `${statement} #${occurrence}`;
    if (passed.has(point)) continue;
    passed.add(point);
    appendFileSync(journal, `${target.name}\t${point}\n`);
    target.isHeld = true;
    holds = true;
  }
  return holds;
}

/** Whether it is a statement that says by itself what is to be done with its results. */
function hasCallback(statement: unknown): statement is { callback: (error: unknown, results: unknown) => void } {
  return (
    typeof statement === 'object' &&
    statement !== null &&
    'callback' in statement &&
    typeof statement.callback === 'function'
  );
}

function statementOf([config, values]: unknown[]): { text: string; values: unknown } {
  if (typeof config === 'string') return { text: config, values: Array.isArray(values) ? values : [] };
  if (typeof config !== 'object' || config === null || !('text' in config)) return { text: '', values: [] };
  return { text: String(config.text), values: 'values' in config ? config.values : values };
}
