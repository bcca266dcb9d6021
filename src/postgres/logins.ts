import { ConfigError } from '../config/setting.ts';
import type { Db, SystemDb } from './client.ts';

/** The role of the application: row-level security confines it to the tenant that a transaction names. */
export const TENANT_ROLE = 'steadfast_tenant';
/** The role of what looks across tenants. */
export const SYSTEM_ROLE = 'steadfast_system';

/** What a log-in may have beside its own role: to see how old the transactions of others are. */
const STATISTICS_ROLES = ['pg_monitor', 'pg_read_all_settings', 'pg_read_all_stats', 'pg_stat_scan_tables'];

// Asked of who logged in: whoever can run SQL of his own can go back from any role to that one.
const LOGIN = `
  SELECT session_user AS login, rolsuper AS "isSuperuser", rolbypassrls OR rolcreaterole OR rolcreatedb
      OR rolreplication AS "hasRights",
    EXISTS (SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = r.oid AND deptype = 'o'
      AND (dbid = 0 OR dbid = (SELECT oid FROM pg_database WHERE datname = current_database()))) AS owns,
    ARRAY(SELECT other.rolname::text FROM pg_roles AS other
      WHERE pg_has_role(session_user, other.oid, 'MEMBER') AND other.oid <> r.oid
        AND other.rolname <> $1 AND other.rolname <> ALL($2::text[]) ORDER BY 1) AS "othersRoles",
    to_regrole($1) IS NOT NULL AND pg_has_role(session_user, to_regrole($1), 'USAGE') AS "isExpected",
    to_regrole($1) IS NOT NULL AS "isMigrated"
  FROM pg_roles AS r WHERE rolname = session_user`;

interface Login {
  readonly login: string;
  readonly isSuperuser: boolean;
  readonly hasRights: boolean;
  readonly owns: boolean;
  readonly othersRoles: readonly string[];
  readonly isExpected: boolean;
  readonly isMigrated: boolean;
}

/** Fails unless each log-in is its own role and can become nothing else. */
export async function assertLoginsAreBound({ db, system }: { readonly db: Db; readonly system: SystemDb }) {
  await assertLoginIsBound(db, { setting: 'DATABASE_URL', role: TENANT_ROLE, allowed: [] });
  await assertLoginIsBound(system, { setting: 'SYSTEM_DATABASE_URL', role: SYSTEM_ROLE, allowed: STATISTICS_ROLES });
}

async function assertLoginIsBound(
  { pool }: Db | SystemDb,
  { setting, role, allowed }: { setting: string; role: string; allowed: readonly string[] },
): Promise<void> {
  const { rows } = await pool.query<Login>(LOGIN, [role, allowed]);
  const login = rows[0]!;
  if (!login.isMigrated)
    throw new ConfigError(`${setting}: the database has no role ${role}; apply the migrations first (npm run migrate)`);
  const problem = problemOf(login, role);
  if (problem === undefined) return;
  throw new ConfigError(
    `${setting}: it logs in as "${login.login}", which ${problem}. Give ${role} a password, as who owns the database ` +
      `(ALTER ROLE ${role} LOGIN PASSWORD '…'), and set ${setting}=postgresql://${role}:…@HOST:PORT/DATABASE; ` +
      'docs/operations.md, "Log-ins of the database", has the steps',
  );
}

function problemOf({ isSuperuser, hasRights, owns, othersRoles, isExpected }: Login, role: string): string | undefined {
  if (isSuperuser) return 'is a superuser';
  if (hasRights) return 'bypasses row-level security, or may make roles or databases, or replicate';
  if (owns) return 'owns tables or other objects';
  if (othersRoles.length > 0) return `can become ${othersRoles.join(', ')}`;
  return isExpected ? undefined : `has not the rights of ${role}`;
}
