import { CLOSED_STATUSES } from '../../domain/process/statuses.ts';
import { isAmong } from '../../postgres/sql.ts';

/** Removes the addresses of a user's orders that are over; an open order still needs its address. */
export const FORGET_ADDRESSES = forgetAddressesSql('o.tenant_id = $1 AND o.placed_by = $2::uuid');

/** The same for many users: `$1` tenants and `$2` user ids, two lists of one length. */
export const FORGET_ADDRESSES_OF_ALL = forgetAddressesSql(`o.tenant_id = ANY($1::text[])
  AND o.placed_by = ANY($2::uuid[]) AND ${isAmong(['o.tenant_id', 'o.placed_by'], 'uuid')}`);

function forgetAddressesSql(ofUsers: string): string {
  return `
  UPDATE orders AS o SET ship_to = NULL FROM process_states AS p
  WHERE ${ofUsers} AND o.ship_to IS NOT NULL AND p.tenant_id = o.tenant_id AND p.process_id = o.id
    AND p.status::text IN (${CLOSED_STATUSES.map((status) => `'${status}'`).join(', ')})`;
}
