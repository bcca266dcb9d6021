import { createServer } from 'node:net';

/** A port that a part is going to listen on, and the setting that it comes from. */
export interface WantedPort {
  setting: string;
  port: number;
  host: string;
}

/** Throws, naming port and setting, when a port is taken or wanted twice. */
export async function requireFreePorts(wanted: WantedPort[]): Promise<void> {
  for (const [index, { setting, port }] of wanted.entries()) {
    const other = wanted.slice(0, index).find((earlier) => earlier.port === port);
    if (other)
      throw new Error(
        `Port ${port} is wanted by both ${other.setting} and ${setting}: set one of them to another port.`,
      );
  }
  for (const { setting, port, host } of wanted) {
    const problem = await listeningProblem(port, host);
    if (problem === 'EADDRINUSE') {
      throw new Error(`Port ${port} (${setting}) is taken: stop what listens on it or set ${setting} to another port.`);
    }
    if (problem)
      throw new Error(
        `Port ${port} (${setting}) cannot be used on ${host} (${problem}): set ${setting} to another port.`,
      );
  }
}

function listeningProblem(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}
