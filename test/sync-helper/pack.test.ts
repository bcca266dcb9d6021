import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { temporaryFolder } from '../support/world.ts';
import { install, packHelper, typeCheck } from './packed.ts';

const SCRIPT = `
import { createMemoryStore, createSyncHelper, postgresBus } from '@steadfast/sync-helper';
import type { Bus, MessageHandler } from '@steadfast/sync-helper';

let handle: MessageHandler = async () => {};
const sent: string[] = [];
const bus: Bus = {
  publish: async (messages) => { for (const { topic } of messages) sent.push(topic); },
  subscribe: async (options) => { handle = options.handle; return { stop: async () => {} }; },
  isHealthy: async () => true, close: async () => {},
};
const sync = createSyncHelper({ service: 'accounting', bus });
await sync.handleUserEvents({
  store: createMemoryStore(),
  onUser: async ({ email, userVersion }) => { sent.push(\`\${email} \${userVersion.toFixed()}\`); },
  onUserDeleted: async ({ userId }) => { sent.push(userId); },
});
const [tenantId, userId] = ['acme', '0b0e7a2c-5c1c-4a57-9c3e-3f1f0d1f0a01'];
await handle({ tenantId, messageId: 'm1', topic: 'user.created', key: userId, payload: JSON.stringify({
  specversion: '1.0', id: 'm1', source: 'steadfast', type: 'user.created', data: {
    userId, authSubject: 's', email: 'ada@example.com', name: null, locale: 'fr', phone: null,
    status: 'active', customerId: null,
    customerKind: null, version: 1, services: ['accounting'],
  },
}) });
await sync.confirmUserSync({ tenantId, userId, userVersion: 1 });
// @ts-expect-error -- the declarations are real: a copy needs its version
await sync.reportSyncFailure({ tenantId, userId }, new Error());
const real = postgresBus({ url: 'postgresql://nobody@127.0.0.1:1/none' });
console.log(JSON.stringify([...sent, await real.isHealthy()]));
await real.close();
`;

test('the helper is packed, installed alone, type-checked and run', async (t) => {
  t.timeout(120_000);
  const project = await temporaryFolder(t);
  const file = await packHelper(t, project);
  await writeFile(join(project, 'package.json'), '{ "name": "alone", "private": true, "type": "module" }');
  await install(project, file);

  const shipped = (await readdir(join(project, 'node_modules/@steadfast/sync-helper'), { recursive: true })).filter(
    (path) => /\.\w+$/.test(path),
  );
  const compiled =
    /^dist\/(packages\/sync-helper|src\/(domain\/shared|events|messaging|postgres|telemetry))\/[\w/-]+(\.d)?\.(js|ts)$/;
  t.deepEqual(
    shipped.filter((path) => !['package.json', 'README.md'].includes(path) && !compiled.test(path)),
    [],
  );
  t.deepEqual(
    shipped.filter((path) => /test|prisma|generated|client/.test(path)),
    [],
  );
  const texts = await Promise.all(
    shipped.map((path) => readFile(join(project, 'node_modules/@steadfast/sync-helper', path), 'utf8')),
  );
  t.false(texts.some((text) => /from '(@prisma|@temporalio)/.test(text)));
  t.deepEqual(
    (await readdir(join(project, 'node_modules'))).filter((name) => /prisma|temporal|platformatic/.test(name)),
    [],
  );

  await writeFile(join(project, 'script.ts'), SCRIPT);
  await writeFile(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: { target: 'es2024', module: 'nodenext', strict: true, noEmit: true, types: ['node'] },
      files: ['script.ts'],
    }),
  );
  await typeCheck(project);
  const { stdout } = await promisify(execFile)(process.execPath, ['script.ts'], { cwd: project });
  t.deepEqual(JSON.parse(stdout), [
    'ada@example.com 1',
    'sync.user.confirmed',
    'sync.user.confirmed',
    'sync.user.failed',
    false,
  ]);
});
