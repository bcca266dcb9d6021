const TENANT = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Whether a token can be of this tenant. Never `*`: to the database that means every tenant. */
export function isTenantName(text: string): boolean {
  return TENANT.test(text);
}
