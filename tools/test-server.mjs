import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProvisioningError, cacheFolder, cached, run, step, versionOf } from './provisioning.mjs';

const OLDEST_JAVA = 17;
const pom = fileURLToPath(new URL('test-server/pom.xml', import.meta.url));
const version = /temporal-test-server<\/artifactId>\s*<version>([^<]+)/.exec(readFileSync(pom, 'utf8'))?.[1];
const name = `test-server-${version}`;

// The SDK starts the server as one executable with the port and its options as arguments.
const SCRIPT = `#!/bin/sh
exec "\${JAVA_HOME:+$JAVA_HOME/bin/}java" -Xmx512m -cp "$(dirname "$0")/lib/*" io.temporal.testserver.TestServer "$@"
`;

/** The executable of the time-skipping test server in our cache, whether it is there or not. */
export const testServerExecutable = () => join(cacheFolder(), name, 'temporal-test-server');

/**
 * Provides the time-skipping test server from Maven Central, which a machine may reach where the SDK's download is not.
 */
export async function provideTestServer() {
  requireJava();
  if (existsSync(testServerExecutable())) return testServerExecutable();
  if (!versionOf('mvn', ['-v'])) {
    throw new ProvisioningError(
      'npm test needs Maven to fetch the time-skipping test server: install maven, then run it again.',
    );
  }
  await step('Fetching the time-skipping test server with Maven, once', () =>
    cached(name, async (folder) => {
      const output = `-DoutputDirectory=${join(folder, 'lib')}`;
      await run('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', output]);
      await writeFile(join(folder, 'temporal-test-server'), SCRIPT, { mode: 0o755 });
    }),
  );
  return testServerExecutable();
}

function requireJava() {
  const home = process.env['JAVA_HOME'];
  const printed = versionOf(home ? join(home, 'bin', 'java') : 'java', ['-version']);
  const major = Number(/version "(\d+)/.exec(printed ?? '')?.[1] ?? 0);
  if (major >= OLDEST_JAVA) return;
  const found = printed ? `Java ${major} is too old` : 'there is no Java';
  throw new ProvisioningError(
    `npm test needs Java ${OLDEST_JAVA} or newer for the time-skipping test server; ${found}: install a JDK or set ` +
      `JAVA_HOME.`,
  );
}
