import { ConfigError } from '../config/setting.ts';
import type { Db } from './client.ts';

/**
 * What the application's role can reach without being confined to a tenant: tables and views with `tenant_id` that
 * row-level security does not confine to the tenant of the transaction, by each policy that permits it something, and
 * those without `tenant_id` whose comment does not begin with `no tenant:` and say why.
 */
const UNFENCED = `
  SELECT c.relname AS name, a.attname IS NOT NULL AS "hasTenant"
  FROM pg_class AS c
  LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
  WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE')
    AND NOT EXISTS (SELECT FROM pg_depend AS d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    AND CASE WHEN a.attname IS NULL THEN coalesce(obj_description(c.oid, 'pg_class'), '') !~ '^no tenant: .'
      ELSE NOT c.relrowsecurity OR EXISTS (SELECT FROM pg_policy AS p
        WHERE p.polrelid = c.oid AND p.polpermissive
          AND (0 = ANY(p.polroles)
            OR EXISTS (SELECT FROM unnest(p.polroles) AS r WHERE r <> 0 AND pg_has_role(r, 'MEMBER')))
          AND '(tenant_id = current_setting(''steadfast.tenant''::text, true))' <> ANY(ARRAY[
            coalesce(pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid)),
            coalesce(pg_get_expr(p.polwithcheck, c.oid), pg_get_expr(p.polqual, c.oid))])) END
  ORDER BY c.relname`;

/** Fails when the application can reach a table that row-level security does not confine to a tenant. */
export async function assertTablesAreFenced(db: Db): Promise<void> {
  const { rows } = await db.pool.query<{ name: string; hasTenant: boolean }>(UNFENCED);
  if (rows.length === 0) return;
  const told = rows.map(({ name, hasTenant }) => {
    const lacks = hasTenant
      ? 'has tenant_id, but its policies let the application see more than tenant_id = current_setting(…)'
      : 'has no tenant_id, and its comment no reason ("no tenant: …")';
    return `"${name}" ${lacks}`;
  });
  throw new ConfigError(
    `DATABASE_URL: tables are open to every tenant: ${told.join('; ')}. ` +
      "Mend the policies, or revoke the role's rights on them",
  );
}
