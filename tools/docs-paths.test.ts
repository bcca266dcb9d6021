import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
}).split('\n');
const documents = files.filter((file) => file.endsWith('.md') && existsSync(join(root, file)));

const PATH = /(?<![\w./-])(?:src|test|docs|tools|bench|packages|prisma|deploy|examples)\/[\w.*{},<>/-]*[\w*}/]/g;
const LINK = /\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)\s]*)?\)/g;
// `test/x.test.ts` 'some title'
const TITLE = /`((?:src|test)\/[\w./-]+\.test\.ts)`,? '([^']+)'/g;

for (const document of documents) {
  const text = readFileSync(join(root, document), 'utf8');

  test(`${document} names paths and links that exist`, (t) => {
    const links = [...text.matchAll(LINK)].map(([, target = '']) => join(dirname(document), target));
    const paths = [...text.matchAll(PATH)]
      .map(([path]) => path)
      .filter((path) => !path.includes('<') && !path.endsWith('/.env'))
      .filter((path) => !exists(join(dirname(document), path)));
    const missing = [...new Set([...links, ...paths])].filter((path) => !exists(path));
    t.deepEqual(missing, []);
  });

  test(`${document} names tests whose titles exist`, (t) => {
    const missing = [...text.matchAll(TITLE)].filter(([, file = '', title = '']) => !hasTitle(file, title));
    t.deepEqual(
      missing.map(([named]) => named),
      [],
    );
  });
}

// A path with `*` is a pattern, which must match something.
function exists(path: string): boolean {
  if (!path.includes('*')) return existsSync(join(root, path));
  const parts = path.split(/\*+/).map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  const pattern = new RegExp(`^${parts.join('.*')}`);
  return files.some((file) => pattern.test(file));
}

// A title is quoted in part, as long as that part finds its test.
function hasTitle(file: string, title: string): boolean {
  return existsSync(join(root, file)) && readFileSync(join(root, file), 'utf8').includes(title.replaceAll(/\s+/g, ' '));
}
