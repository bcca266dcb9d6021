export { bulkCommand } from './bulk.ts';
export { cleanup, profileAudit, syncAudit } from './audits.ts';
export { orderProcess, refundProcess } from './processes.ts';
export { profile } from './profile.ts';
export { userSync } from './user-sync.ts';
export { processWatchdog } from './watchdog.ts';
