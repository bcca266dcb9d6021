/** What a caller may be, strongest first; a token with several roles counts as the strongest. */
export const ROLES = ['admin', 'operator', 'service', 'user'] as const;
export type Role = (typeof ROLES)[number];

/** Who sends a request, as the verified token says. */
export interface Caller {
  readonly subject: string;
  readonly role: Role;
  readonly tenantId: string;
}
