import { continueAsNew, proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { WatchdogActivities, WatchPlace } from './process-watchdog.activities.ts';
import { addReports, NOTHING_WATCHED, type ProcessWatchReport } from './audits.messages.ts';

const { watchProcesses, watchLeftOpen, reviewStuckAlerts } = proxyActivities<WatchdogActivities>({
  startToCloseTimeout: '10m',
  heartbeatTimeout: '1m',
  retry: { initialInterval: '1s', maximumInterval: '1m' },
});

/** Handed from one run to the next. */
interface Carried {
  readonly from: WatchPlace;
  readonly report: ProcessWatchReport;
}

/**
 * Says of every process that has not moved why, starts again whose workflow is gone, and tells operators what only they
 * can mend.
 */
export async function processWatchdog(carried?: Carried): Promise<ProcessWatchReport> {
  let report = carried?.report ?? NOTHING_WATCHED;
  let from = carried?.from ?? null;
  do {
    const { next, ...page } = await watchProcesses({ from });
    report = addReports(report, page);
    show(report);
    from = next;
    if (from !== null && workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof processWatchdog>({ from, report });
  } while (from !== null);
  report = addReports(report, await watchLeftOpen());
  await reviewStuckAlerts();
  show(report);
  return report;
}

function show({ checked, restarted, alerted, classes }: ProcessWatchReport): void {
  const counts = Object.entries(classes).map(([classed, count]) => `- ${classed}: ${count}`);
  setCurrentDetails([`${checked} did not move: ${restarted} started again, ${alerted} alerted`, ...counts].join('\n'));
}
