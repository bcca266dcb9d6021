import { randomUUIDv7 } from 'node:crypto';
import { SHIPPING_REFUSALS, type ShippingRefusal } from '../../domain/orders/port-codes.ts';
import type { LocalProvider } from '../provider.ts';
import type { Shipment, ShipmentCall, ShippingAnswer, ShippingPort } from './shipping-port.ts';

type Row = Shipment & { readonly orderId: string };

/** The shipping port whose shipments are rows; it ships to these countries (ISO 3166-1 alpha-2). */
export function createWarehouse({ countries }: { countries: readonly string[] }): LocalProvider<ShippingPort> {
  return (books) => ({
    accept: async ({ tenantId, calls }) => {
      const orderIds = calls.filter((call) => isAddressed(call, countries)).map(({ orderId }) => orderId);
      const { rows } = await books.query<Row>({
        name: 'warehouse-accept',
        text: ACCEPT,
        values: [tenantId, orderIds, orderIds.map(() => randomUUIDv7())],
      });
      const shipments = new Map(rows.map(({ orderId, ...shipment }) => [orderId, shipment]));
      return calls.map(({ orderId }): ShippingAnswer => {
        const shipment = shipments.get(orderId);
        if (shipment === undefined) return refused('invalid_address');
        return shipment.status === 'cancelled' ? refused('shipment_cancelled') : { isDone: true, shipment };
      });
    },

    cancel: async ({ tenantId, orderIds }) => {
      const { rows } = await books.query<Row>({
        name: 'warehouse-cancel',
        text: CANCEL,
        values: [tenantId, orderIds, orderIds.map(() => randomUUIDv7())],
      });
      const shipments = new Map(rows.map(({ orderId, ...shipment }) => [orderId, shipment]));
      return orderIds.map((orderId): ShippingAnswer => {
        const shipment = shipments.get(orderId);
        return shipment?.status === 'cancelled' ? { isDone: true, shipment } : refused('already_delivered');
      });
    },

    find: async ({ tenantId, orderIds }) => {
      const { rows } = await books.query<Row>({
        name: 'warehouse-find',
        text: `SELECT ${COLUMNS} FROM shipments WHERE tenant_id = $1 AND order_id = ANY($2::uuid[])`,
        values: [tenantId, orderIds],
      });
      return new Map(rows.map(({ orderId, ...shipment }) => [orderId, shipment]));
    },
  });
}

const COLUMNS = 'order_id::text AS "orderId", shipment_id::text AS "shipmentId", status::text';
const GIVEN = 'unnest($2::uuid[], $3::uuid[]) AS given (order_id, shipment_id) ORDER BY order_id';

// The update changes nothing: it answers the row as it is, also one that somebody else commits just now.
const ACCEPT = `
  INSERT INTO shipments (tenant_id, order_id, shipment_id, status) SELECT $1, order_id, shipment_id, 'accepted'
    FROM ${GIVEN}
  ON CONFLICT (tenant_id, order_id) DO UPDATE SET status = shipments.status RETURNING ${COLUMNS}`;

const CANCEL = `
  INSERT INTO shipments (tenant_id, order_id, shipment_id, status) SELECT $1, order_id, shipment_id, 'cancelled'
    FROM ${GIVEN}
  ON CONFLICT (tenant_id, order_id) DO UPDATE
    SET status = CASE WHEN shipments.status = 'delivered' THEN shipments.status ELSE excluded.status END
      RETURNING ${COLUMNS}`;

function isAddressed({ shipTo }: ShipmentCall, countries: readonly string[]): boolean {
  return (
    shipTo !== null &&
    countries.includes(shipTo.country) &&
    shipTo.postalCode.trim() !== '' &&
    shipTo.city.trim() !== ''
  );
}

function refused(code: ShippingRefusal): ShippingAnswer {
  return { isDone: false, code, message: SHIPPING_REFUSALS[code].detail };
}
