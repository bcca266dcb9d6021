import { readFile, writeFile } from 'node:fs/promises';
import { errorsMarkdown } from '../src/api/http/errors-page.ts';
import { openApiDocument } from '../src/api/http/openapi.ts';
import { ROUTES } from '../src/api/routes.ts';

/** Files that are written from the declared routes and the error catalogue. */
const FILES = {
  'openapi.json': `${JSON.stringify(openApiDocument(ROUTES), null, 2)}\n`,
  'docs/errors.md': errorsMarkdown(),
};

for (const [path, text] of Object.entries(FILES)) {
  const file = new URL(`../${path}`, import.meta.url);
  if (!process.argv.includes('--check')) {
    await writeFile(file, text);
  } else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    console.error(`${path} is not what the code says: npm run openapi`);
    process.exitCode = 1;
  }
}
