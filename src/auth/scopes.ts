/** What a service may be allowed to do, and what that is. */
export const SCOPES = {
  'users:read': 'read users, their copies and statistics',
  'users:write': 'register users and change their contact fields',
  'users:delete': 'delete users',
  'profiles:write': 'begin and complete profiles, which ties users to their customers',
  'sync:confirm': 'say that its own copy is in step, or failed',
  'sync:request': 'have users sent to it again',
  'orders:read': 'read and follow orders and refunds',
  'orders:write': 'place and cancel orders',
  'orders:deliver': 'say that orders have reached their customers, and that returned goods are back',
  'refunds:write': 'have money paid back',
  'routing-slips:read': 'read the activities of routing slips, and the slips that it has sent',
  'routing-slips:write': 'send routing slips, of the activities that are for services',
  'products:read': 'read products and their stock',
} as const;
export type Scope = keyof typeof SCOPES;

/** All scopes. */
export const ALL_SCOPES: readonly Scope[] = Object.keys(SCOPES).filter(isScope);

/** Whether we know a scope of that name. */
function isScope(name: unknown): name is Scope {
  return typeof name === 'string' && Object.hasOwn(SCOPES, name);
}

/**
 * The scopes that a token has, from its claims `scope`, words with blanks between them as in RFC 9068, and `scp`, that
 * or a list; those of other APIs are left out. Undefined when a claim is neither.
 */
export function scopesIn({ scope, scp }: Readonly<Record<string, unknown>>): readonly Scope[] | undefined {
  const words: string[] = [];
  for (const claim of [scope, scp]) {
    if (typeof claim === 'string') words.push(...claim.split(' '));
    else if (Array.isArray(claim) && claim.every((word) => typeof word === 'string')) words.push(...claim);
    else if (claim !== undefined) return undefined;
  }
  return [...new Set(words.filter(isScope))];
}
