import type { Config } from '../../config/config.ts';
import type { Db } from '../../postgres/client.ts';
import { FACTS, findFact, type Facts } from '../../db/facts.ts';
import { claimProcess, eventsAfter, lockProcesses, writeProcesses } from '../../db/processes/process-rows.ts';
import { lockStreams } from '../../messaging/log/lock-streams.ts';
import { rawTransaction } from '../../postgres/transaction.ts';
import { alertChannels } from '../../alerts/channels.ts';
import type { AlertKind } from '../../domain/alerts/codes.ts';
import { clearAlert, raiseAlert } from '../../db/alerts/raise-alert.ts';
import type { ProcessEvent } from '../../domain/process/events.ts';
import type { ProcessActivities } from '../../workflows/process/process.activities.ts';
import { writerOf } from './step-row.ts';

/** The activities that every process needs besides those of its steps. */
export function createProcessActivities({
  db,
  config,
  facts = FACTS,
}: {
  db: Db;
  config: Config;
  facts?: Facts;
}): ProcessActivities {
  return {
    loadProcess: ({ tenantId, processId, type }) =>
      rawTransaction(db.pool, tenantId, async (client) => {
        const claimed = await claimProcess(client, { tenantId, processId, writer: writerOf() });
        if (claimed === null) return null;
        const { state, revision } = claimed;
        const fact = await findFact(client, facts, { state, type, tenantId, processId });
        return { state, revision, ...(fact === undefined ? {} : { fact }) };
      }),

    saveProcess: ({ tenantId, processId, type, state, revision, events }) =>
      rawTransaction(db.pool, tenantId, async (client) => {
        if (facts.processType(type).isTold === true) await lockStreams(client, [processId]);
        const row = (await lockProcesses(client, { tenantId, processIds: [processId] })).get(processId);
        if (row === undefined) return 'superseded';
        const sequence = state.sequence - events.length;
        if (row.revision < revision && row.state.sequence <= sequence) {
          await writeProcesses(client, {
            tenantId,
            writes: [{ processId, type, state, revision, writer: writerOf(), events }],
          });
          return 'written';
        }
        const written = await eventsAfter(client, { tenantId, processId, sequence });
        return events.every((event, index) => isSame(event, written[index])) ? 'overtaken' : 'superseded';
      }),

    alertProcess: async ({ tenantId, processId, type, kind, state }) => {
      const { status, currentStep, cause, history } = state;
      const error = history.find(({ step }) => step === currentStep)?.error ?? null;
      const summary =
        kind === 'process_parked'
          ? `The ${type} ${processId} waits for an operator: ${status} at ${currentStep}.`
          : `The ${type} ${processId} waits longer than it should at ${currentStep}.`;
      await db.inTenant(tenantId, (tx) =>
        raiseAlert(
          tx,
          {
            tenantId,
            kind: kind satisfies AlertKind,
            key: processId,
            severity: kind === 'process_parked' ? 'critical' : 'warning',
            summary,
            details: { processId, type, status, currentStep, cause: (cause ?? error)?.code ?? null },
          },
          alertChannels(config),
          { isToldAgain: true },
        ),
      );
    },

    clearProcessAlert: ({ tenantId, processId, kind }) =>
      db.inTenant(tenantId, (tx) => clearAlert(tx, { tenantId, kind, key: processId })),
  };
}

/** Whether two events are the same but for their time: an earlier attempt wrote it. */
function isSame(event: ProcessEvent, written: ProcessEvent | undefined): boolean {
  return written !== undefined && namesOf(event) === namesOf(written);
}

function namesOf(event: ProcessEvent): string {
  return JSON.stringify([event.type, 'step' in event ? event.step : null, 'event' in event ? event.event : null]);
}
