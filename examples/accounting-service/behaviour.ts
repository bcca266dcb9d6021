import type { Bus, BusMessage } from '@steadfast/sync-helper';
import { setTimeout as sleep } from 'node:timers/promises';

const ANSWERS = ['once', 'twice', 'old', 'none'] as const;

/** How the service misbehaves. */
export interface Behaviour {
  /** How many of the next users it fails to take over or to forget. */
  fail: number;
  /** How long it takes over one user. */
  delayMs: number;
  /** How long it waits between the effect and its confirmation. */
  confirmDelayMs: number;
  /** How often it confirms, or with the version before, which it does not hold any more. */
  answer: (typeof ANSWERS)[number];
}

/** Changes what `changes` names; throws a `TypeError` for what is no behaviour. */
export function misbehave(behaviour: Behaviour, changes: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(changes)) {
    const answer = ANSWERS.find((known) => known === value);
    if (name === 'answer' && answer !== undefined) behaviour.answer = answer;
    else if (
      (name === 'fail' || name === 'delayMs' || name === 'confirmDelayMs') &&
      typeof value === 'number' &&
      value >= 0
    )
      behaviour[name] = value;
    else throw new TypeError(`${name}: ${String(value)} is no behaviour`);
  }
}

/** Throws as often as it is told to fail. */
export function failIfTold(behaviour: Behaviour): void {
  if (behaviour.fail <= 0) return;
  behaviour.fail -= 1;
  throw new Error('the ledger is closed');
}

/** The bus, with confirmations sent as the behaviour says. */
export function misbehavingBus(bus: Bus, behaviour: Behaviour): Bus {
  return {
    ...bus,
    publish: async (messages) => {
      for (const message of messages) {
        if (message.topic === 'sync.user.confirmed') await sleep(behaviour.confirmDelayMs);
        await bus.publish(message.topic === 'sync.user.confirmed' ? confirmations(message, behaviour) : [message]);
      }
    },
  };
}

function confirmations(message: BusMessage, { answer }: Behaviour): BusMessage[] {
  switch (answer) {
    case 'once':
      return [message];
    case 'twice':
      return [message, message];
    case 'none':
      return [];
    case 'old': {
      const event: { id: string; data: { userVersion: number } } = JSON.parse(message.payload);
      event.id = `old:${event.id}`;
      event.data.userVersion -= 1;
      return event.data.userVersion < 1 ? [] : [{ ...message, messageId: event.id, payload: JSON.stringify(event) }];
    }
  }
}
