import { readFile, writeFile } from 'node:fs/promises';
import { asyncApiDocument } from '../src/events/asyncapi.ts';

const file = new URL('../asyncapi.json', import.meta.url);
const text = `${JSON.stringify(asyncApiDocument(), null, 2)}\n`;

if (!process.argv.includes('--check')) {
  await writeFile(file, text);
} else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
  console.error('asyncapi.json is not what the schemas say: npm run asyncapi');
  process.exitCode = 1;
}
