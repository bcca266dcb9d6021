import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Makes the data folder, or closes one that is there, to everybody but its owner: users' data and keys are in it. */
export function closeDataFolder(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  chmodSync(dataDir, 0o700);
  for (const name of readdirSync(dataDir).filter((each) => each.startsWith('temporal.db')))
    chmodSync(join(dataDir, name), 0o600);
  const logs = join(dataDir, 'logs');
  if (!existsSync(logs)) return;
  for (const name of readdirSync(logs)) chmodSync(join(logs, name), 0o600);
}
