import { CLOSED_STATUSES } from '../../domain/process/statuses.ts';
import { isAmong } from '../../postgres/sql.ts';

const IS_OVER = `o.ship_to IS NOT NULL AND p.tenant_id = o.tenant_id AND p.process_id = o.id
  AND p.status::text IN (${CLOSED_STATUSES.map((status) => `'${status}'`).join(', ')})`;

/** Removes the addresses of a user's orders that are over; an open order still needs its address. */
export const FORGET_ADDRESSES = forgetAddressesSql('o.tenant_id = $1 AND o.placed_by = $2::uuid');

/** The same of the orders that services placed for a customer, `$2`. */
export const FORGET_ADDRESSES_BY_SERVICES = forgetAddressesSql(
  'o.tenant_id = $1 AND o.customer_id = $2 AND o.placed_by IS NULL',
);

/** The same for many users: `$1` tenants and `$2` user ids, two lists of one length. */
export const FORGET_ADDRESSES_OF_ALL = forgetAddressesSql(`o.tenant_id = ANY($1::text[])
  AND o.placed_by = ANY($2::uuid[]) AND ${isAmong(['o.tenant_id', 'o.placed_by'], 'uuid')}`);

/** The same of what services had ordered, up to the deletion, for customers whose last users they were. */
export const FORGET_ADDRESSES_BY_SERVICES_OF_ALL = `
  UPDATE orders AS o SET ship_to = NULL FROM users AS u, process_states AS p
  WHERE u.id = ANY($2::uuid[]) AND ${isAmong(['u.tenant_id', 'u.id'], 'uuid')} AND u.former_customer_id IS NOT NULL
    AND o.tenant_id = u.tenant_id AND o.customer_id = u.former_customer_id AND o.placed_by IS NULL
    AND o.created_at <= u.deleted_at AND ${IS_OVER}`;

/** Whether orders of the user `u`, or of services for its former customer, still have addresses. */
export const HAS_ADDRESSES = `(
  EXISTS (SELECT FROM orders AS o WHERE o.tenant_id = u.tenant_id AND o.placed_by = u.id AND o.ship_to IS NOT NULL)
  OR EXISTS (SELECT FROM orders AS o WHERE o.tenant_id = u.tenant_id AND o.customer_id = u.former_customer_id
    AND o.placed_by IS NULL AND o.created_at <= u.deleted_at AND o.ship_to IS NOT NULL))`;

/** The orders that services placed for a customer and that still have an address. Parameters: tenant, customer. */
export const ADDRESSED_BY_SERVICES = `SELECT id FROM orders
  WHERE tenant_id = $1 AND customer_id = $2 AND placed_by IS NULL AND ship_to IS NOT NULL`;

function forgetAddressesSql(ofUsers: string): string {
  return `UPDATE orders AS o SET ship_to = NULL, cancel_asked = NULL FROM process_states AS p
    WHERE ${ofUsers} AND ${IS_OVER}`;
}
