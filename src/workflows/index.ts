export { bulkCommand } from './bulk/bulk-command.ts';
export { cleanup, profileAudit, syncAudit } from './audits/audits.ts';
export { orderProcess, refundProcess, settlementProcess } from './orders/orders.ts';
export { profile } from './profile/profile.ts';
export { routingSlipProcess } from './routing-slips/routing-slips.ts';
export { userSync } from './user-sync/user-sync.ts';
export { processWatchdog } from './audits/process-watchdog.ts';
