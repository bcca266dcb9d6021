import { bindingsOf } from './channel-bindings.ts';
import { z } from 'zod';
import { ORDER_CHANNELS, ORDER_COMPONENTS, ORDER_OPERATIONS } from './order-asyncapi.ts';
import { SLIP_CHANNELS, SLIP_COMPONENTS, SLIP_OPERATIONS } from './slip-asyncapi.ts';
import { SYNC_CONFIRMATIONS, EVENTS, TOPICS } from './user-events.ts';

type Topic = keyof typeof EVENTS;

/** What each topic is for; `send` are ours, `receive` are sent by the services that keep copies of users. */
const ABOUT: Readonly<
  Record<Topic, { readonly action: 'send' | 'receive'; readonly operation: string; readonly summary: string }>
> = {
  [TOPICS.userCreated]: {
    action: 'send',
    operation: 'tellUserCreated',
    summary: 'A user to take a copy of. Comes again, for those services alone that did not confirm it, until all did.',
  },
  [TOPICS.userUpdated]: {
    action: 'send',
    operation: 'tellUserUpdated',
    summary: 'A later version of a user. A version may be skipped, and the first one heard of may be an update.',
  },
  [TOPICS.userDeleted]: {
    action: 'send',
    operation: 'tellUserDeleted',
    summary: 'A user to forget. Needs no confirmation.',
  },
  [TOPICS.syncConfirmed]: {
    action: 'receive',
    operation: 'hearSyncConfirmed',
    summary: 'A service holds this version of a user now.',
  },
  [TOPICS.syncFailed]: {
    action: 'receive',
    operation: 'hearSyncFailed',
    summary: 'A service could not take this version of a user over.',
  },
  [TOPICS.reconciliationRequest]: {
    action: 'receive',
    operation: 'hearReconciliationRequest',
    summary: 'A service doubts its copy of a user and asks for it again.',
  },
};

/** The AsyncAPI 3.0 document of every topic, made from the schemas that the bus works with. */
export function asyncApiDocument() {
  const topics = z.enum(TOPICS).options;
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Steadfast',
      version: '1',
      description:
        'Copies of users in other services, orders that services carry by messages, and what becomes of routing ' +
        'slips. Events are CloudEvents 1.0 in structured JSON, delivered at least once: ' +
        '`source` and `id` together identify an event. The key is the id of the user, order or slip, and messages of ' +
        'one key keep their order.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    channels: {
      ...Object.fromEntries(topics.map((topic) => [topic, channelOf(topic)])),
      ...ORDER_CHANNELS,
      ...SLIP_CHANNELS,
    },
    operations: {
      ...Object.fromEntries(topics.map((topic) => [ABOUT[topic].operation, operationOf(topic)])),
      ...ORDER_OPERATIONS,
      ...SLIP_OPERATIONS,
    },
    components: {
      messages: {
        ...Object.fromEntries(topics.map((topic) => [topic, messageOf(topic)])),
        ...ORDER_COMPONENTS,
        ...SLIP_COMPONENTS,
      },
    },
  };
}

function channelOf(topic: Topic) {
  return {
    address: topic,
    title: topic,
    description: ABOUT[topic].summary,
    messages: { event: { $ref: `#/components/messages/${topic}` } },
    ...bindingsOf(topic),
  };
}

function operationOf(topic: Topic) {
  const { action, summary } = ABOUT[topic];
  return {
    action,
    summary,
    channel: { $ref: `#/channels/${topic}` },
    messages: [{ $ref: `#/channels/${topic}/messages/event` }],
    'x-sender': action === 'send' ? 'Steadfast' : 'the service named in data.service',
    'x-receiver': action === 'send' ? receiversOf(topic) : `Steadfast (group ${SYNC_CONFIRMATIONS})`,
    ...(action === 'send'
      ? {}
      : { bindings: { kafka: { groupId: { type: 'string', const: SYNC_CONFIRMATIONS }, bindingVersion: '0.5.0' } } }),
  };
}

function receiversOf(topic: Topic): string {
  return topic === TOPICS.userDeleted ? 'every service that keeps copies' : 'the services named in data.services';
}

function messageOf(topic: Topic) {
  const { $schema: _, ...payload } = z.toJSONSchema(EVENTS[topic], { target: 'draft-7', io: 'input' });
  return {
    name: topic,
    title: topic,
    summary: ABOUT[topic].summary,
    contentType: 'application/json',
    payload,
    bindings: {
      kafka: { key: { type: 'string', description: "The user's id: data.userId" }, bindingVersion: '0.5.0' },
    },
    'x-postgresql': {
      columns: {
        tenant_id: 'tenantid',
        message_id: 'id',
        topic: 'type',
        key: 'data.userId',
        payload: 'the whole event, as text',
      },
    },
  };
}
