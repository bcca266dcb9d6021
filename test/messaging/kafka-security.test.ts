import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AclOperations, AclPermissionTypes, Admin, ResourcePatternTypes, ResourceTypes } from '@platformatic/kafka';
import test from 'ava';
import type { Bus, BusMessage } from '../../src/messaging/bus.ts';
import { createKafkaBus } from '../../src/messaging/kafka/kafka-bus.ts';
import { clientOptions, type KafkaCredentials } from '../../src/messaging/kafka/kafka-connection.ts';
import { run } from '../../tools/provisioning.mjs';
import { startOwnKafka } from '../support/kafka.ts';
import { until } from '../support/until.ts';

const MODULES = 'org.apache.kafka.common.security';
const TOPIC = 'allowed.later';

let address = '';
let ca = '';
const stops: (() => Promise<void>)[] = [];

/** The bus of a user; without `isTrusting` it trusts the machine's authorities alone. */
function busOf(
  sasl: KafkaCredentials,
  { isTrusting = true, errors = [] }: { isTrusting?: boolean; errors?: unknown[] } = {},
): Bus {
  return createKafkaBus({
    connection: { brokers: [address], clientId: 'test', tls: isTrusting ? { ca } : {}, sasl },
    park: async () => {},
    defaultTenant: 'default',
    partitions: 2,
    retryDelaysMs: [],
    sessionTimeoutMs: 1_500,
    lookMs: 200,
    onError: (error) => errors.push(error),
  });
}

test.before(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'steadfast-keys-'));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  const store = [
    '-keystore',
    join(folder, 'broker.p12'),
    '-storetype',
    'PKCS12',
    '-storepass',
    'changeit',
    '-alias',
    'broker',
  ];
  await run('keytool', [
    '-genkeypair',
    ...store,
    '-keyalg',
    'EC',
    '-groupname',
    'secp256r1',
    '-dname',
    'CN=broker',
    '-ext',
    'SAN=ip:127.0.0.1',
    '-validity',
    '2',
  ]);
  ca = await run('keytool', ['-exportcert', '-rfc', ...store]);
  await writeFile(join(folder, 'ca.pem'), ca);
  const broker = await startOwnKafka({
    protocol: 'SASL_SSL',
    settings: {
      'ssl.keystore.type': 'PKCS12',
      'ssl.keystore.location': join(folder, 'broker.p12'),
      'ssl.keystore.password': 'changeit',
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': join(folder, 'ca.pem'),
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
      'sasl.mechanism.inter.broker.protocol': 'PLAIN',
      'listener.name.sasl_ssl.plain.sasl.jaas.config':
        `${MODULES}.plain.PlainLoginModule required ` +
        `username="admin" password="admin" user_admin="admin" user_steadfast="plain";`,
      'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config': `${MODULES}.scram.ScramLoginModule required;`,
      'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': `${MODULES}.scram.ScramLoginModule required;`,
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:admin;User:ANONYMOUS',
    },
    format: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=steadfast,password=scram]`,
    ]),
  });
  stops.push(() => broker.remove());
  address = broker.address;
  const admin = new Admin(
    clientOptions(
      {
        brokers: [address],
        clientId: 'test',
        tls: { ca },
        sasl: { mechanism: 'PLAIN', username: 'admin', password: 'admin' },
      },
      10_000,
    ),
  );
  stops.push(() => admin.close());
  const allow = { principal: 'User:steadfast', host: '*', permissionType: AclPermissionTypes.ALLOW };
  const topics = {
    resourceType: ResourceTypes.TOPIC,
    resourceName: 'allowed.',
    resourcePatternType: ResourcePatternTypes.PREFIXED,
  };
  await until(
    () =>
      admin
        .createAcls({
          creations: [
            { ...allow, ...topics, operation: AclOperations.READ },
            { ...allow, ...topics, operation: AclOperations.WRITE },
            {
              ...allow,
              resourceType: ResourceTypes.GROUP,
              resourceName: '*',
              resourcePatternType: ResourcePatternTypes.LITERAL,
              operation: AclOperations.READ,
            },
          ],
        })
        .then(
          () => true,
          () => false,
        ),
    { what: 'the broker' },
  );
});

test.after.always(async () => {
  for (const stop of stops.toReversed()) await stop();
});

for (const [mechanism, password] of [
  ['PLAIN', 'plain'],
  ['SCRAM-SHA-256', 'scram'],
  ['SCRAM-SHA-512', 'scram'],
] as const) {
  test.serial(`the Kafka bus gets in by TLS and ${mechanism}, and with nothing less`, async (t) => {
    const credentials = { mechanism, username: 'steadfast', password };
    const [known, unknown, untrusting] = [
      busOf(credentials),
      busOf({ ...credentials, password: 'wrong' }),
      busOf(credentials, { isTrusting: false }),
    ];
    t.teardown(() => Promise.all([known, unknown, untrusting].map((bus) => bus.close())));
    t.true(await known.isHealthy());
    t.false(await unknown.isHealthy());
    t.false(await untrusting.isHealthy());
  });
}

test.serial('the Kafka bus waits for a topic that it may not make, and says so once', async (t) => {
  const errors: unknown[] = [];
  const bus = busOf({ mechanism: 'SCRAM-SHA-512', username: 'steadfast', password: 'scram' }, { errors });
  t.teardown(() => bus.close());
  const seen: BusMessage[] = [];
  await bus.subscribe({ group: 'waiting', topics: [TOPIC], handle: async (message) => void seen.push(message) });
  const message: BusMessage = { tenantId: 'acme', messageId: 'm1', topic: TOPIC, key: 'k', payload: '{}' };
  await until(() => errors.length > 0);
  await t.throwsAsync(bus.publish([message]), { message: `The topic ${TOPIC} does not exist.` });
  const owner = busOf({ mechanism: 'PLAIN', username: 'admin', password: 'admin' });
  t.teardown(() => owner.close());
  await owner.publish([{ ...message, messageId: 'm0' }]);
  await bus.publish([message]);
  await until(() => seen.length === 2);
  t.deepEqual(
    seen.map(({ messageId }) => messageId),
    ['m0', 'm1'],
  );
  t.is(errors.filter((error) => String(error).includes('does not let us make it')).length, 1);
});
