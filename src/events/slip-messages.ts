import { z } from 'zod';
import type { ProcessEvent } from '../domain/process/events.ts';
import type { ProcessState } from '../domain/process/state.ts';
import { itineraryIn, readLegName, routingSlipProcess } from '../domain/routing-slips/routing-slip-process.ts';
import { isoTime } from '../domain/shared/time.ts';
import type { BusMessage } from '../messaging/bus.ts';
import { cloudEvent } from './cloud-event.ts';

/** The topic on which we say what becomes of routing slips, and the source of what we say. */
export const SLIP_TOPIC = 'routing-slips';

const slipGuid = z.guid().describe('Our id of the slip; the key, and the `correlationid`.');
const leg = z.string().describe('Its name on the slip, `{number}:{activity}`.');
const code = z.string().min(1).max(100).describe('As the error catalogue explains it.');
const ofSlip = z.object({ slipId: slipGuid });
const ofLeg = ofSlip.extend({ leg, activity: z.string(), attempts: z.int().nonnegative() });
const fault = z.object({
  code,
  class: z.enum(['transient', 'refused', 'unknown']).describe('`unknown`: it may have taken effect.'),
});

/** What the data of each message are. Names of legs and codes: no argument, no variable, and nothing that was typed. */
const DATA = {
  RoutingSlipActivityCompleted: ofLeg,
  RoutingSlipActivityFaulted: ofLeg.extend({ fault }),
  RoutingSlipActivityCompensated: ofLeg,
  RoutingSlipActivityCompensationFailed: ofLeg.extend({ fault }),
  RoutingSlipRevised: ofSlip.extend({ leg, itinerary: z.array(leg).describe('The whole of it, what is done too.') }),
  RoutingSlipCompleted: ofSlip,
  RoutingSlipFaulted: ofSlip.extend({ fault: fault.describe('Why it turned back; everything is undone.') }),
  RoutingSlipTerminated: ofSlip.extend({
    status: z
      .enum(['cancelled', 'abandoned'])
      .describe('`cancelled`: everything is undone; `abandoned`: something is left, and it may be reopened.'),
    fault: fault.nullable().describe('Why it had turned back; null: it had not.'),
  }),
} as const;
export type SlipMessageType = keyof typeof DATA;

function told<Type extends SlipMessageType, Data extends z.ZodType>(type: Type, data: Data) {
  return cloudEvent(type, data).extend({ correlationid: slipGuid });
}

/** Schema of each message about a routing slip. */
export const SLIP_EVENTS = {
  RoutingSlipActivityCompleted: told('RoutingSlipActivityCompleted', DATA.RoutingSlipActivityCompleted),
  RoutingSlipActivityFaulted: told('RoutingSlipActivityFaulted', DATA.RoutingSlipActivityFaulted),
  RoutingSlipActivityCompensated: told('RoutingSlipActivityCompensated', DATA.RoutingSlipActivityCompensated),
  RoutingSlipActivityCompensationFailed: told(
    'RoutingSlipActivityCompensationFailed',
    DATA.RoutingSlipActivityCompensationFailed,
  ),
  RoutingSlipRevised: told('RoutingSlipRevised', DATA.RoutingSlipRevised),
  RoutingSlipCompleted: told('RoutingSlipCompleted', DATA.RoutingSlipCompleted),
  RoutingSlipFaulted: told('RoutingSlipFaulted', DATA.RoutingSlipFaulted),
  RoutingSlipTerminated: told('RoutingSlipTerminated', DATA.RoutingSlipTerminated),
} as const;

/** Something to be said of a slip: type and data. */
type Said = {
  [Type in SlipMessageType]: { readonly type: Type; readonly data: z.input<(typeof DATA)[Type]> };
}[SlipMessageType];

/** A process of any type after events. */
interface Written {
  readonly tenantId: string;
  readonly processId: string;
  readonly type: string;
  readonly state: ProcessState;
  readonly events: readonly ProcessEvent[];
}

/**
 * What is to be said of events of a process; nothing, unless it is a routing slip. An id is made of slip, event and
 * type, so that what is written again is the same message.
 */
export function slipMessages({ tenantId, processId, type, state, events }: Written): BusMessage[] {
  if (type !== routingSlipProcess.type) return [];
  return events.flatMap((event) =>
    saidOf(event, { slipId: processId, state }).map((said): BusMessage => {
      const messageId = `${processId}:${event.sequence}:${said.type}`;
      const payload = {
        specversion: '1.0',
        id: messageId,
        source: SLIP_TOPIC,
        type: said.type,
        subject: processId,
        time: isoTime(event.at),
        datacontenttype: 'application/json',
        tenantid: tenantId,
        correlationid: processId,
        data: said.data,
      };
      return { tenantId, messageId, topic: SLIP_TOPIC, key: processId, payload: JSON.stringify(payload) };
    }),
  );
}

function saidOf(event: ProcessEvent, { slipId, state }: { slipId: string; state: ProcessState }): readonly Said[] {
  switch (event.type) {
    case 'StepCompleted':
      return [
        { type: 'RoutingSlipActivityCompleted', data: legOf(slipId, event) },
        ...(Object.hasOwn(event.result, 'itinerary')
          ? [revisedTo(itineraryIn(event.result), { slipId, leg: event.step })]
          : []),
      ];
    case 'StepFailed':
      return [{ type: 'RoutingSlipActivityFaulted', data: { ...legOf(slipId, event), fault: faultOf(event.cause) } }];
    case 'StepCompensated':
      return [{ type: 'RoutingSlipActivityCompensated', data: legOf(slipId, event) }];
    case 'StepCompensationFailed':
      return [
        {
          type: 'RoutingSlipActivityCompensationFailed',
          data: { ...legOf(slipId, event), fault: faultOf(event.cause) },
        },
      ];
    case 'ProcessCompleted':
      return [{ type: 'RoutingSlipCompleted', data: { slipId } }];
    case 'ProcessCompensated':
      if (state.cause === null) throw new Error('a slip is undone without a cause');
      return [{ type: 'RoutingSlipFaulted', data: { slipId, fault: faultOf(state.cause) } }];
    case 'ProcessCancelled':
    case 'ProcessAbandoned': {
      const status = event.type === 'ProcessCancelled' ? 'cancelled' : 'abandoned';
      const why = state.cause === null ? null : faultOf(state.cause);
      return [{ type: 'RoutingSlipTerminated', data: { slipId, status, fault: why } }];
    }
    default:
      return [];
  }
}

function revisedTo(itinerary: readonly string[], of: { readonly slipId: string; readonly leg: string }): Said {
  return { type: 'RoutingSlipRevised', data: { ...of, itinerary: [...itinerary] } };
}

function legOf(slipId: string, { step, attempts }: { readonly step: string; readonly attempts: number }) {
  return { slipId, leg: step, activity: readLegName(step).activity, attempts };
}

function faultOf({ code: cause, class: classed }: NonNullable<ProcessState['cause']>): z.input<typeof fault> {
  return { code: cause, class: classed };
}
