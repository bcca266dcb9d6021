import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProvisioningError, cacheFolder, cached, run, step, versionOf } from './provisioning.mjs';

const pom = fileURLToPath(new URL('kafka/pom.xml', import.meta.url));
const name = `kafka-${createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12)}`;

/** Folder of the broker's jars in our cache, whether it is there or not. */
export const kafkaFolder = () => join(cacheFolder(), name);

/** Provides a Kafka broker from Maven Central; it runs on the Java that the time-skipping test server needs too. */
export async function provideKafka() {
  if (existsSync(kafkaFolder())) return kafkaFolder();
  if (!versionOf('mvn', ['-v']))
    throw new ProvisioningError('Kafka is fetched with Maven: install maven, then run this again.');
  await step('Fetching Kafka with Maven, once', () =>
    cached(name, async (folder) => {
      await run('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`]);
    }),
  );
  return kafkaFolder();
}
