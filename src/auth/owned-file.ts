import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Reads a file that only its owner may read; the first of any number of processes that ask for it makes it, with what
 * `make` answers.
 */
export async function readOrMake(file: string, make: () => Promise<string>): Promise<string> {
  return readFile(file, 'utf8').catch(async (error: unknown) => {
    if (!hasCode(error, 'ENOENT')) throw error;
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const draft = `${file}.${randomUUID()}`;
    await writeFile(draft, await make(), { mode: 0o600, flag: 'wx' });
    try {
      // Atomic, and fails when another process has made the file first.
      await link(draft, file);
    } catch (failure) {
      if (!hasCode(failure, 'EEXIST')) throw failure;
    } finally {
      await rm(draft, { force: true });
    }
    return readFile(file, 'utf8');
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
