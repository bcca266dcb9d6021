// Preloaded into a worker (`node --import`): statements about stock, payments and shipments fail now and then, before
// or after they took effect, and the answer to a commit gets lost. What is drawn depends on CHAOS_SEED alone.
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { createRandom } from './random.ts';

const { CHAOS_SEED = '1', CHAOS_FAULTS = '0.05' } = process.env;
const random = createRandom(Number(CHAOS_SEED));
const probability = Number(CHAOS_FAULTS);

const PORTS =
  /\b(UPDATE|INSERT INTO|DELETE FROM)\s+(products|reservations|payments|ledger_transfers|credit_accounts|shipments)\b/i;
const LOST = Object.assign(new Error('Connection terminated: the answer got lost'), { code: '08006' });

type Query = (this: object, ...args: unknown[]) => unknown;
const prototype: { query: Query } = Object(pg.Client.prototype);
const { query } = prototype;
prototype.query = function faulty(...args) {
  const text = textOf(args[0]);
  const isPort = PORTS.test(text);
  const isCommit = /^COMMIT\b/i.test(text);
  if ((!isPort && !isCommit) || !random.chance(probability) || typeof args.at(-1) === 'function')
    return query.call(this, ...args);
  if (isCommit) return after(query.call(this, ...args), LOST);
  const failure = new Error('the port did not answer in time');
  return random.chance(0.5)
    ? delay(random.between(0, 50)).then(() => {
        throw failure;
      })
    : after(query.call(this, ...args), failure);
};

async function after(sent: unknown, failure: Error): Promise<never> {
  await sent;
  throw failure;
}

function textOf(statement: unknown): string {
  if (typeof statement === 'string') return statement;
  return typeof statement === 'object' && statement !== null && 'text' in statement ? String(statement.text) : '';
}
