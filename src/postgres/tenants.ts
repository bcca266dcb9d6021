/** Sets a transaction's tenant to every tenant: for relays, audits and checks, never for a caller's request. */
export const ALL_TENANTS = '*';
