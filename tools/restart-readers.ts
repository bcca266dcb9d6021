import { loadProcessConfig } from '../src/config.ts';
import { openDb } from '../src/db/client.ts';
import { isRestoredElsewhere, restartReaders } from '../src/db/log-restart.ts';

const config = loadProcessConfig();
if (config.DATABASE_URL === undefined) {
  console.error('npm run restart-readers: set DATABASE_URL to the restored database.');
  process.exit(1);
}
const db = openDb({ url: config.DATABASE_URL, role: config.DATABASE_ROLE, poolSize: 2, applicationName: 'steadfast-restart-readers' });
try {
  const wasNeeded = await isRestoredElsewhere(db);
  await restartReaders(db);
  console.log(`Every reader begins anew${wasNeeded ? '' : ', though the logs are of this cluster'}: what is kept is delivered once more, and the inbox tells what took effect before.`);
} finally {
  await db.close();
}
