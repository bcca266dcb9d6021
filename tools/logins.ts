import pg from 'pg';
import { SYSTEM_ROLE, TENANT_ROLE } from '../src/postgres/logins.ts';

/** The URLs of both log-ins, as the settings take them. */
export interface LoginUrls {
  readonly DATABASE_URL: string;
  readonly SYSTEM_DATABASE_URL: string;
}

/** The password of each log-in. */
export type PasswordOf = (role: string) => string;

/** The URLs of both log-ins of a database, given one of its owner. */
export function loginUrls(ownerUrl: string, passwordOf: PasswordOf): LoginUrls {
  const urlOf = (role: string): string => {
    const url = new URL(ownerUrl);
    url.username = role;
    url.password = passwordOf(role);
    return url.href;
  };
  return { DATABASE_URL: urlOf(TENANT_ROLE), SYSTEM_DATABASE_URL: urlOf(SYSTEM_ROLE) };
}

/**
 * Lets both roles of a migrated database log in, as its owner, and returns their URLs. A password that holds already is
 * left as it is, so that nobody who uses it is disturbed.
 */
export async function giveLogins(ownerUrl: string, passwordOf: PasswordOf): Promise<LoginUrls> {
  const urls = loginUrls(ownerUrl, passwordOf);
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  try {
    for (const [role, url] of [
      [TENANT_ROLE, urls.DATABASE_URL],
      [SYSTEM_ROLE, urls.SYSTEM_DATABASE_URL],
    ] as const)
      if (!(await mayLogIn(owner, role)) || !(await logsIn(url)))
        await owner.query(`ALTER ROLE ${role} LOGIN PASSWORD ${pg.escapeLiteral(passwordOf(role))}`);
  } finally {
    await owner.end();
  }
  return urls;
}

async function mayLogIn(owner: pg.Client, role: string): Promise<boolean> {
  const { rows } = await owner.query<{ may: boolean }>('SELECT rolcanlogin AS may FROM pg_roles WHERE rolname = $1', [
    role,
  ]);
  return rows[0]?.may ?? false;
}

async function logsIn(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => undefined);
  return client.connect().then(
    async () => {
      await client.end();
      return true;
    },
    () => false,
  );
}
