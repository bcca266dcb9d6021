import { bindingsOf, messageOf } from './channel-bindings.ts';
import { SLIP_EVENTS, SLIP_TOPIC, type SlipMessageType } from './slip-messages.ts';

/** When each message about a routing slip is said. */
const SUMMARIES: Readonly<Record<SlipMessageType, string>> = {
  RoutingSlipActivityCompleted: 'A leg is done, or was done by hand.',
  RoutingSlipActivityFaulted: 'A leg was refused, or its attempts are used up.',
  RoutingSlipActivityCompensated: 'A leg is undone.',
  RoutingSlipActivityCompensationFailed: 'A leg could not be undone; the others are.',
  RoutingSlipRevised: 'A leg has changed what follows it.',
  RoutingSlipCompleted: 'All legs are done.',
  RoutingSlipFaulted: 'The slip turned back by itself, and everything is undone.',
  RoutingSlipTerminated:
    'Somebody has ended the slip. One that was abandoned may be reopened, and says another end then.',
};

const messageRef = (within: string, type: string) => ({ $ref: `#/${within}/messages/${type}` });
const TYPES = Object.keys(SLIP_EVENTS);

/** The channel of their topic. */
export const SLIP_CHANNELS = {
  [SLIP_TOPIC]: {
    address: SLIP_TOPIC,
    title: SLIP_TOPIC,
    description: 'What becomes of routing slips and their legs.',
    messages: Object.fromEntries(TYPES.map((type) => [type, messageRef('components', type)])),
    ...bindingsOf(SLIP_TOPIC),
  },
};

/** That we publish them. */
export const SLIP_OPERATIONS = {
  tellRoutingSlips: {
    action: 'send',
    summary: 'What becomes of routing slips and their legs.',
    channel: { $ref: `#/channels/${SLIP_TOPIC}` },
    messages: TYPES.map((type) => messageRef(`channels/${SLIP_TOPIC}`, type)),
    'x-sender': 'Steadfast',
    'x-receiver': 'Whoever listens',
  },
};

/** The messages, by their types. */
export const SLIP_COMPONENTS = Object.fromEntries(
  Object.entries(SLIP_EVENTS).map(([type, schema]) => {
    const summary = Object.entries(SUMMARIES).find(([name]) => name === type)?.[1] ?? type;
    return [type, messageOf(type, { schema, summary, key: 'data.slipId', of: 'slip' })];
  }),
);
