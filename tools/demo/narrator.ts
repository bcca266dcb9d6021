import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Role } from '../../src/auth/roles.ts';
import { openEventStream, type EventStream } from '../../test/support/event-stream.ts';
import { provideTemporalCli } from '../temporal-cli.mjs';
import type { DemoInstallation } from './installation.ts';
import type { View } from './view.ts';

/** Who types a command, and the variable that holds its token where the command is printed. */
export interface DemoCaller {
  readonly name: string;
  readonly role: Exclude<Role, 'service'>;
  readonly subject: string;
}

/** The administrator who tells the story. */
export const BOSS: DemoCaller = { name: 'TOKEN', role: 'admin', subject: 'demo' };
/** Who runs what works on the data of every tenant. */
export const HOUSEKEEPER: DemoCaller = { name: 'HOUSE', role: 'installation_operator', subject: 'demo' };
/** How often something that is awaited is looked at, and for how long, in milliseconds. */
export const POLL_MS = 150;
export const PATIENCE_MS = 60_000;

/** What scenes are made of; each command is printed as one would type it. */
export interface Narrator {
  readonly view: View;
  readonly apiUrl: string;
  readonly uiUrl: string;
  /** Calls the API and prints nothing. */
  readonly ask: (caller: DemoCaller, method: string, path: string, body?: object) => Promise<unknown>;
  /** Types a request and answers its body; throws when it is refused. */
  readonly api: (caller: DemoCaller, method: string, path: string, body?: object) => Promise<unknown>;
  /** Types a request that will be refused, and answers the problem. */
  readonly refused: (caller: DemoCaller, method: string, path: string, body?: object) => Promise<unknown>;
  /** Types a request for server-sent events. */
  readonly follow: (caller: DemoCaller, path: string) => Promise<EventStream>;
  /** Types a command of the `temporal` CLI and answers what it printed. */
  readonly cli: (...args: string[]) => Promise<string>;
  readonly cliQuietly: (...args: string[]) => Promise<string>;
}

/** Opens the narrator on a running installation. */
export function openNarrator(
  { apiUrl, uiUrl, env }: DemoInstallation,
  { view, mint }: { view: View; mint: (caller: DemoCaller) => Promise<string> },
): Narrator {
  const send = async (caller: DemoCaller, method: string, path: string, body?: object): Promise<Response> =>
    fetch(`${apiUrl}${path}`, {
      method,
      headers: { Authorization: `Bearer ${await mint(caller)}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const ask: Narrator['ask'] = async (caller, method, path, body) => {
    const response = await send(caller, method, path, body);
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  };
  const type = ({ name }: DemoCaller, method: string, path: string, body?: object): void =>
    view.type(
      [
        `curl -X ${method} ${path.includes('?') ? `'${apiUrl}${path}'` : `${apiUrl}${path}`}`,
        `-H "Authorization: Bearer $${name}"`,
        ...(body === undefined ? [] : [`-H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`]),
      ].join(' '),
    );
  const cliQuietly: Narrator['cliQuietly'] = async (...args) => {
    const { stdout } = await promisify(execFile)(await provideTemporalCli(), args, {
      env: { ...env, TEMPORAL_ADDRESS: `127.0.0.1:${env['TEMPORAL_PORT'] ?? 7233}` },
    });
    return stdout;
  };
  return {
    view,
    apiUrl,
    uiUrl,
    ask,
    cliQuietly,
    api: (caller, method, path, body) => {
      type(caller, method, path, body);
      return ask(caller, method, path, body);
    },
    refused: async (caller, method, path, body) => {
      type(caller, method, path, body);
      const response = await send(caller, method, path, body);
      if (response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
      return response.json();
    },
    follow: async (caller, path) => {
      view.type(`curl -N ${apiUrl}${path} -H "Authorization: Bearer $${caller.name}"`);
      return openEventStream(`${apiUrl}${path}`, { Authorization: `Bearer ${await mint(caller)}` });
    },
    cli: (...args) => {
      view.type(`temporal ${args.map((arg) => (/[{" ]/.test(arg) ? `'${arg}'` : arg)).join(' ')}`);
      return cliQuietly(...args);
    },
  };
}
