import { randomUUIDv7 } from 'node:crypto';
import type pg from 'pg';

/** Keeps how the shipments of orders stand that somebody else's warehouse has, under numbers of ours. */
export async function keepShipments(
  client: pg.ClientBase,
  {
    tenantId,
    shipments,
  }: {
    tenantId: string;
    shipments: readonly {
      readonly orderId: string;
      readonly status: 'accepted' | 'cancelled' | 'delivered' | 'lost';
    }[];
  },
): Promise<void> {
  await client.query({
    name: 'keep-shipments',
    values: [
      tenantId,
      shipments.map(({ orderId }) => orderId),
      shipments.map(() => randomUUIDv7()),
      shipments.map(({ status }) => status),
    ],
    // What became of a shipment stays so, whatever its warehouse says late.
    text: `INSERT INTO shipments (tenant_id, order_id, shipment_id, status)
      SELECT $1, order_id, shipment_id, status::"ShipmentStatus"
      FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS given (order_id, shipment_id, status) ORDER BY order_id
      ON CONFLICT (tenant_id, order_id) DO UPDATE SET status = excluded.status
        WHERE shipments.status IN ('accepted', 'cancelled')`,
  });
}
