import { loadProcessConfig } from '../src/config/config.ts';
import { openSystemDb } from '../src/postgres/client.ts';
import { acceptCluster, isRestoredElsewhere } from '../src/messaging/log/cluster-identity.ts';
import { resetCursors } from '../src/maintenance/retention/reset-cursors.ts';

const config = loadProcessConfig();
const isAcceptedAsItIs = process.argv[2] === '--accept';
if (config.SYSTEM_DATABASE_URL === undefined || process.argv.length > (isAcceptedAsItIs ? 3 : 2)) {
  console.error(`npm run restart-readers: set SYSTEM_DATABASE_URL to the restored database.

Makes a database safe to work with that was restored: from another cluster, or to an earlier state than Temporal's.
  npm run restart-readers -- --accept   restarts nothing and takes the cluster for the logs' own: after pg_upgrade, or
                                        when a standby took over that had everything.`);
  process.exit(1);
}
const system = openSystemDb({
  url: config.SYSTEM_DATABASE_URL,
  poolSize: 2,
  applicationName: 'steadfast-restart-readers',
});
try {
  if (isAcceptedAsItIs) {
    if (await acceptCluster(system)) {
      console.log("The logs are recorded as this cluster's. Nothing else was changed.");
    } else {
      console.error(
        "The logs hold transactions that this cluster has not reached, so they are another's: run `npm run " +
          'restart-readers` without --accept.',
      );
      process.exitCode = 1;
    }
  } else {
    const wasNeeded = await isRestoredElsewhere(system);
    const { users, raisedBy } = await resetCursors(system);
    console.log(
      `Every reader begins anew${wasNeeded ? '' : ", though the logs were this cluster's"}: ` +
        'what is kept is delivered once more, and the inbox tells what took effect before.\n' +
        `The version of ${users} users was raised by ${raisedBy}, above anything that services have seen; ` +
        'sync-audit publishes each user anew.',
    );
  }
} finally {
  await system.close();
}
