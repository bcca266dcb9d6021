import type pg from 'pg';
import type { StepResult, StepWork } from '../../domain/process/step-work.ts';
import type { ShippingRefusal } from '../../domain/orders/port-codes.ts';
import type { ShippingAnswer, ShippingPort } from '../../gateways/shipping/shipping-port.ts';
import { keepShipments } from '../../db/orders/shipments.ts';
import type { ProviderStep } from '../process/provider-step.ts';
import { cancelShipment } from './create-shipment.ts';
import { ofOrder, settledWorks } from './settled-works.ts';

/** Calls the shipments of settled orders back; what was never accepted can't be any more. */
export const callBackShipment: ProviderStep<
  ShippingPort,
  readonly string[],
  readonly ShippingAnswer[],
  ShippingRefusal
> = {
  read: async (client, works) => cancelShipment.read(client, await ordersOf(client, works)),
  call: (port, call, orderIds) => cancelShipment.call(port, call, orderIds),
  record: async (client, works, answers) => cancelShipment.record(client, await ordersOf(client, works), answers),
};

/** Gives shipments of settled orders up, without asking whoever has them: they are lost to us. */
export async function writeOffShipment(
  client: pg.ClientBase,
  works: readonly StepWork[],
): Promise<readonly StepResult<never>[]> {
  const { tenantId, settled } = await settledWorks(client, works);
  await keepShipments(client, {
    tenantId,
    shipments: settled.map(({ settlement }) => ({ orderId: settlement.orderId, status: 'lost' })),
  });
  return works.map(() => ({ isDone: true }));
}

async function ordersOf(client: pg.ClientBase, works: readonly StepWork[]): Promise<readonly StepWork[]> {
  return (await settledWorks(client, works)).settled.map(ofOrder);
}
