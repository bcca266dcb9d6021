import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

const SOURCES = ['src/workflows', 'src/domain', 'package-lock.json'];
const root = new URL('../../', import.meta.url);

/** Code of the workflows, and a short hash of what it was made from. */
export interface WorkflowBundle {
  readonly codePath: string;
  readonly sourceHash: string;
}

/**
 * The bundle of the workflows' present source: built once, kept in `folder`, so that a worker starts without building.
 * Tracing is part of it only where it is asked for; the workflows are the same with and without. Other workflows than
 * the product's are those of the module `workflowsPath`.
 */
export async function loadWorkflowBundle(
  folder: string,
  { isTraced = false, workflowsPath = workflowModule('index.ts') }: { isTraced?: boolean; workflowsPath?: string } = {},
): Promise<WorkflowBundle> {
  const sourceHash = await hashSources(pathToFileURL(dirname(workflowsPath)));
  const name = `${sourceHash}-${basename(workflowsPath, '.ts')}${isTraced ? '-traced' : ''}.js`;
  const codePath = join(folder, name);
  const isBuilt = await stat(codePath).then(
    () => true,
    () => false,
  );
  if (!isBuilt) {
    const interceptors = isTraced ? [workflowModule('runtime/tracing.ts')] : [];
    const { code } = await bundleWorkflowCode({
      workflowsPath,
      workflowInterceptorModules: interceptors,
      preloadModules: [workflowModule('shared-modules.ts'), ...interceptors],
      logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} },
    });
    await mkdir(folder, { recursive: true });
    const unfinished = `${codePath}.${randomUUID()}`;
    await writeFile(unfinished, code);
    await rename(unfinished, codePath);
  }
  return { codePath, sourceHash };
}

function workflowModule(file: string): string {
  return fileURLToPath(new URL(`src/workflows/${file}`, root));
}

async function hashSources(workflows: URL): Promise<string> {
  const hash = createHash('sha256');
  for (const source of [workflows, ...SOURCES.map((path) => new URL(path, root))]) {
    for (const file of await filesUnder(source))
      hash.update(file.pathname.slice(root.pathname.length)).update(await readFile(file));
  }
  return hash.digest('hex').slice(0, 12);
}

async function filesUnder(path: URL): Promise<URL[]> {
  if ((await stat(path)).isFile()) return [path];
  const names = await readdir(path, { recursive: true });
  return names
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .toSorted()
    .map((name) => new URL(`${path.href}/${name}`));
}
