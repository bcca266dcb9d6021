import type { Scope } from './scopes.ts';

/**
 * What a caller may be. A token with several roles counts as the first of them, and as that alone: operators of the
 * installation work on every tenant's data at once but read none, the other four are of one tenant.
 */
export const ROLES = ['installation_operator', 'admin', 'operator', 'service', 'user'] as const;
export type Role = (typeof ROLES)[number];

interface Identity {
  readonly subject: string;
  readonly tenantId: string;
}

/** A service that the identity provider vouches for: which one it is, and what it may do. */
export interface ServiceCaller extends Identity {
  readonly role: 'service';
  /** Its name, as in SYNC_SERVICES. */
  readonly service: string;
  readonly scopes: readonly Scope[];
}

/** Who sends a request, as the verified token says. */
export type Caller = ServiceCaller | (Identity & { readonly role: Exclude<Role, 'service'> });
