import { applyAll, applyOutcome, decideProcess, startStep } from '../process/decide.ts';
import type { ProcessData, ProcessDefinition } from '../process/definition.ts';
import type { ProcessEvent } from '../process/events.ts';
import { executionOf, type Cause, type OperatorDecision, type ProcessState } from '../process/state.ts';
import { DELIVERED, orderProcess, type OrderData } from './order-process.ts';

/** How an order is carried: by a workflow, or by services that hear and answer messages. */
export const ORDER_MODES = ['orchestration', 'choreography'] as const;
export type OrderMode = (typeof ORDER_MODES)[number];

/**
 * The same order where nobody coordinates it. Its row is a view: `order` folds into it what the services say, and the
 * steps are as those of the other mode, so that both have one timeline.
 */
export const choreographedOrderProcess: ProcessDefinition<OrderData> = {
  type: 'choreographed_order',
  summary: 'Order that services carry by messages: validated, reserved, paid, shipped and delivered, or undone',
  isByMessages: true,
  steps: orderProcess.steps,
};

/** The services of an order: each is a consumer group, and says what it has to say on the topic of its name. */
export const ORDER_SERVICES = ['order', 'inventory', 'payment', 'shipping'] as const;
export type OrderService = (typeof ORDER_SERVICES)[number];

/** Who says what, and who is to act on it: a request by the service that it is sent to. */
export const ORDER_MESSAGES = {
  OrderCreated: 'order',
  CancelOrder: 'order',
  ReserveInventory: 'inventory',
  InventoryReserved: 'inventory',
  InventoryRejected: 'inventory',
  ReleaseInventory: 'inventory',
  InventoryReleased: 'inventory',
  InventoryShipped: 'inventory',
  ProcessPayment: 'payment',
  PaymentProcessed: 'payment',
  PaymentFailed: 'payment',
  RefundPayment: 'payment',
  PaymentRefunded: 'payment',
  ShipOrder: 'shipping',
  OrderShipped: 'shipping',
  ShipmentRejected: 'shipping',
  CancelShipment: 'shipping',
  ShipmentCancelled: 'shipping',
  ShipmentKept: 'shipping',
  ShipmentDelivered: 'shipping',
  ShipmentLost: 'shipping',
  ShipmentReturned: 'shipping',
} as const satisfies Record<string, OrderService>;
export type OrderMessageType = keyof typeof ORDER_MESSAGES;

/** What `order` asks for, by the step: to be done, and to be undone. */
const REQUESTS = {
  reserve_inventory: { execute: 'ReserveInventory', undo: 'ReleaseInventory' },
  process_payment: { execute: 'ProcessPayment', undo: 'RefundPayment' },
  create_shipment: { execute: 'ShipOrder', undo: 'CancelShipment' },
} as const satisfies Record<string, Readonly<Record<'execute' | 'undo', OrderMessageType>>>;

/** What `order` asks of the others. */
export type OrderRequest = (typeof REQUESTS)[keyof typeof REQUESTS]['execute' | 'undo'];

/** What somebody has said of an order, as far as its row tells it. */
export type Heard =
  | { readonly type: 'InventoryReserved' | 'InventoryReleased' | 'PaymentRefunded' | 'ShipmentCancelled' }
  | { readonly type: 'ShipmentKept' | 'ShipmentDelivered' | 'ShipmentLost' | 'ShipmentReturned' }
  | { readonly type: 'PaymentProcessed'; readonly paymentId: string }
  | { readonly type: 'InventoryShipped'; readonly shipmentId: string }
  | {
      readonly type: 'InventoryRejected' | 'PaymentFailed' | 'ShipmentRejected';
      readonly code: string;
      readonly message: string;
    }
  | { readonly type: 'CancelOrder'; readonly asked: OperatorDecision }
  /** Of the one step that `order` takes itself. */
  | { readonly type: 'validated'; readonly result: ProcessData }
  | { readonly type: 'not_validated'; readonly code: string; readonly message: string };

/** Where an order stands after something was heard of it, and what is to be asked now. */
export interface Folded {
  readonly state: ProcessState;
  readonly events: readonly ProcessEvent[];
  readonly ask: OrderRequest | null;
}

/**
 * The state after what was heard. What does not fit it was heard before, or comes after its undo, and changes nothing:
 * whatever comes twice, late or out of order leads to the same end. `now` is in milliseconds since the epoch.
 */
export function foldOrder(before: ProcessState, heard: Heard, now: number): Folded {
  const events = eventsOf(before, heard, now);
  const state = applyAll(before, events);
  const asked = requestOf(before, state);
  if (asked === null) return { state, events, ask: null };
  if (asked.isUndo) return { state, events, ask: asked.request };
  const begun = startStep(state, asked.step, now);
  return { state: applyAll(state, [begun]), events: [...events, begun], ask: asked.request };
}

function eventsOf(state: ProcessState, heard: Heard, now: number): readonly ProcessEvent[] {
  switch (heard.type) {
    case 'validated':
      return completed(state, 'validate_order', heard.result, now);
    case 'not_validated':
      return refused(state, 'validate_order', heard, now);
    case 'InventoryReserved':
      return completed(state, 'reserve_inventory', {}, now);
    case 'InventoryRejected':
      return refused(state, 'reserve_inventory', heard, now);
    case 'InventoryReleased':
      return undone(state, 'reserve_inventory', now);
    case 'PaymentProcessed':
      return completed(state, 'process_payment', { paymentId: heard.paymentId }, now);
    case 'PaymentFailed':
      return refused(state, 'process_payment', heard, now);
    case 'PaymentRefunded':
      return undone(state, 'process_payment', now);
    // The pivot is done once the pieces are out of the stock, too: a refund then finds the books as they are.
    case 'InventoryShipped':
      return completed(state, 'create_shipment', { shipmentId: heard.shipmentId }, now);
    case 'ShipmentRejected':
      return refused(state, 'create_shipment', heard, now);
    case 'ShipmentCancelled':
      return refused(state, 'create_shipment', { code: 'shipment_cancelled', message: 'It was cancelled.' }, now);
    case 'ShipmentKept':
      return []; // it was told to be shipped before
    case 'ShipmentDelivered':
      return received(state, {}, now);
    case 'ShipmentLost':
      return received(state, { outcome: 'lost' }, now);
    case 'ShipmentReturned':
      return received(state, { outcome: 'returned' }, now);
    case 'CancelOrder': {
      const { by, reason } = heard.asked;
      const decision = decideProcess(choreographedOrderProcess, state, { type: 'cancel', by, reason }, now);
      return decision.accepted ? decision.events : [];
    }
  }
}

/** `validate_order` is never under way at anybody else, so it is pending until it is done. */
function isUnderWay(state: ProcessState, step: string): boolean {
  const status = executionOf(state, step)?.status;
  return state.cause === null && (status === 'running' || (step === 'validate_order' && status === 'pending'));
}

function completed(state: ProcessState, step: string, result: ProcessData, now: number): readonly ProcessEvent[] {
  return isUnderWay(state, step)
    ? applyOutcome(choreographedOrderProcess, state, { type: 'completed', step, attempts: 1, result }, now)
    : [];
}

function refused(
  state: ProcessState,
  step: string,
  { code, message }: { readonly code: string; readonly message: string },
  now: number,
): readonly ProcessEvent[] {
  const cause: Cause = { code, message, class: 'refused' };
  return isUnderWay(state, step)
    ? applyOutcome(choreographedOrderProcess, state, { type: 'failed', step, attempts: 1, cause }, now)
    : [];
}

function undone(state: ProcessState, step: string, now: number): readonly ProcessEvent[] {
  return executionOf(state, step)?.status === 'compensating'
    ? applyOutcome(choreographedOrderProcess, state, { type: 'compensated', step, attempts: 1 }, now)
    : [];
}

function received(state: ProcessState, payload: ProcessData, now: number): readonly ProcessEvent[] {
  const command = { type: 'receive', event: DELIVERED, payload } as const;
  const decision = decideProcess(choreographedOrderProcess, state, command, now);
  return decision.accepted ? decision.events : [];
}

/** What is to be asked that was not asked before. */
function requestOf(
  before: ProcessState,
  state: ProcessState,
): { readonly request: OrderRequest; readonly step: string; readonly isUndo: boolean } | null {
  for (const [step, { execute, undo }] of Object.entries(REQUESTS)) {
    const status = executionOf(state, step)?.status;
    if (status === 'pending' && state.cause === null && state.currentStep === step)
      return { request: execute, step, isUndo: false };
    const isUndoNew = status === 'compensating' && executionOf(before, step)?.status !== 'compensating';
    const isToStop =
      step === 'create_shipment' && status === 'running' && state.cancelled !== null && before.cancelled === null;
    if (isUndoNew || isToStop) return { request: undo, step, isUndo: true };
  }
  return null;
}
