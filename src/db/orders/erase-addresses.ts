import { CLOSED_STATUSES } from '../../domain/process/statuses.ts';

/**
 * Forgets where the orders of users went, of those orders that are over; what is still to be sent needs its address.
 * The users are `$2` of the tenants `$1`, both lists.
 */
export const FORGET_ADDRESSES = `
  UPDATE orders AS o SET ship_to = NULL FROM process_states AS p
  WHERE (o.tenant_id, o.placed_by) IN (SELECT * FROM unnest($1::text[], $2::uuid[])) AND o.ship_to IS NOT NULL
    AND p.tenant_id = o.tenant_id AND p.process_id = o.id
      AND p.status IN (${CLOSED_STATUSES.map((status) => `'${status}'`).join(', ')})`;
