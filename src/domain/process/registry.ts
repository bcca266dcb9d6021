import { orderProcess } from '../orders/order-process.ts';
import { choreographedOrderProcess } from '../orders/choreographed-order.ts';
import type { ProcessDefinition } from './definition.ts';
import { refundProcess } from '../orders/refund-process.ts';
import { settlementProcess } from '../orders/settlement-process.ts';
import { routingSlipProcess } from '../routing-slips/routing-slip-process.ts';

/** Every type of process, by the name that its rows have. */
export const PROCESS_TYPES: Readonly<Record<string, ProcessDefinition>> = {
  order: orderProcess,
  choreographed_order: choreographedOrderProcess,
  refund: refundProcess,
  settlement: settlementProcess,
  routing_slip: routingSlipProcess,
};

/** Whether services carry processes of a type by messages, and no workflow does. */
export function isByMessages(type: string): boolean {
  return Object.hasOwn(PROCESS_TYPES, type) && PROCESS_TYPES[type]?.isByMessages === true;
}

/** The definition of a type. */
export function processType(type: string): ProcessDefinition {
  const found = Object.hasOwn(PROCESS_TYPES, type) ? PROCESS_TYPES[type] : undefined;
  if (found === undefined) throw new Error(`there is no process type ${type}`);
  return found;
}
