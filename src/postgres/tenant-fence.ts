import { ConfigError } from '../config/setting.ts';
import type { Db } from './client.ts';

/**
 * What the role can reach without being confined to a tenant: tables and views with `tenant_id` but without row-level
 * security by `tenant_isolation` alone, and those without `tenant_id` whose comment does not begin with `no tenant:`
 * and say why.
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
      ELSE NOT c.relrowsecurity
        OR NOT EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid AND p.polname = 'tenant_isolation'
          AND p.polcmd = '*' AND pg_get_expr(p.polqual, c.oid) ~ 'steadfast\\.tenant.*tenant_id'
          AND pg_get_expr(coalesce(p.polwithcheck, p.polqual), c.oid) ~ 'steadfast\\.tenant.*tenant_id')
        OR EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid AND p.polpermissive
          AND p.polname <> 'tenant_isolation') END
  ORDER BY c.relname`;

/** Fails when the role can reach a table that row-level security does not confine to a tenant. */
export async function assertTablesAreFenced(db: Db): Promise<void> {
  const { rows } = await db.pool.query<{ name: string; hasTenant: boolean }>(UNFENCED);
  if (rows.length === 0) return;
  const told = rows.map(({ name, hasTenant }) => {
    const lacks = hasTenant
      ? 'has tenant_id, but not the policy tenant_isolation alone'
      : 'has no tenant_id, and its comment no reason ("no tenant: …")';
    return `"${name}" ${lacks}`;
  });
  throw new ConfigError(
    `DATABASE_URL: tables are open to every tenant: ${told.join('; ')}. ` +
      "Add what is missing, or revoke the role's rights on them",
  );
}
