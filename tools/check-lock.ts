import { readFileSync } from 'node:fs';
import { z } from 'zod';

const lockFile = z.object({
  packages: z.record(z.string(), z.object({ link: z.boolean().optional(), integrity: z.string().optional() })),
});

// Fails when the lock file takes a package as it comes: without the digest of what was looked at.
const { packages } = lockFile.parse(JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')));
const unsafe = Object.entries(packages)
  .filter(([path, { link }]) => path.includes('node_modules/') && link !== true)
  .filter(([, { integrity = '' }]) => !integrity.startsWith('sha512-'));
for (const [path] of unsafe) console.error(`package-lock.json: ${path} has no SHA-512 integrity`);
process.exit(unsafe.length === 0 ? 0 : 1);
