import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';

const root = new URL('../src/', import.meta.url);
// The rooms that read and write rows; whoever else wants something of a table calls a function of theirs.
const ROOMS =
  /^(postgres|messaging|db|maintenance|activities|gateways\/payment\/ledger)\/|^gateways\/shipping\/warehouse/;
const STATEMENT = /\bSELECT\b[^'"]*\bFROM\b|\bINSERT INTO\b|\bUPDATE \w+( AS \w+)? SET\b|\bDELETE FROM\b/;
const PRISMA =
  /\$(query|execute)Raw|\b(tx|prisma)\.\w+\.(find|create|update|delete|count|upsert|groupBy|aggregate)\w*\(/;

const offences = (text: string): string[] =>
  text.split('\n').filter((line) => !/^\s*(\/?\*|\/\/)/.test(line) && (STATEMENT.test(line) || PRISMA.test(line)));

test('SQL and Prisma stand in the rooms of the rows alone', (t) => {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !ROOMS.test(file),
  );
  t.true(files.length > 100);
  for (const file of files) t.deepEqual(offences(readFileSync(new URL(file, root), 'utf8')), [], `src/${file}`);
});

test('the rule sees statements and calls', (t) => {
  for (const line of [
    'SELECT 1 FROM users',
    'INSERT INTO a',
    'UPDATE a SET b',
    'await tx.user.findMany({',
    '$queryRaw`',
  ])
    t.is(offences(line).length, 1, line);
  t.deepEqual(offences('/** SELECT FROM users */\nconst updated = set.delete(key);'), []);
});
