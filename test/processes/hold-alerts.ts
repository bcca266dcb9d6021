import pg from 'pg';
import type { Scope } from '../support/scope.ts';
import type { Saga } from '../support/saga-world.ts';
import type { World } from '../support/world.ts';

/**
 * Holds whoever raises or takes back an alert, and so an execution between the row that it has written last and its
 * end; answers what lets go.
 */
export async function holdAlerts(
  scope: Scope,
  { databaseUrl }: Pick<World, 'databaseUrl'>,
): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  scope.teardown(() => client.end());
  await client.query('BEGIN; LOCK TABLE alerts IN EXCLUSIVE MODE');
  return async () => void (await client.query('COMMIT'));
}

/** How far the signal that it was reopened has come: into the history, and from there into a task. */
export async function reopeningHeard({ handle }: Saga): Promise<'not_yet' | 'signalled' | 'heard'> {
  const events = (await handle.fetchHistory()).events ?? [];
  const place = events.findIndex(
    ({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName === 'reopened',
  );
  if (place < 0) return 'not_yet';
  const isTaken = events.slice(place).some(({ workflowTaskStartedEventAttributes: started }) => Boolean(started));
  return isTaken ? 'heard' : 'signalled';
}

/** Status of the latest run of a process's workflow. */
export async function lastRun({ handle }: Saga): Promise<string> {
  return (await handle.describe()).status.name;
}
