import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { kafkaFolder } from './kafka.mjs';
import { run } from './provisioning.mjs';

const START_TIMEOUT_MS = 60_000;
const CLUSTER_ID = 'c3RlYWRmYXN0LXRlc3Rz';
const java = process.env['JAVA_HOME'] ? join(process.env['JAVA_HOME'], 'bin', 'java') : 'java';
// A broker of a test lives for minutes: what makes a JVM start fast counts, what makes it run fast later does not.
const JVM = [
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:-UsePerfData',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
];

/** A broker of one node that keeps its data until it is removed. */
export interface KafkaBroker {
  /** host:port. */
  readonly address: string;
  /** Resolves when it answers. */
  start(): Promise<void>;
  /** Kills it, as a lost machine would. */
  kill(): Promise<void>;
  remove(): Promise<void>;
}

/** What may differ between brokers. */
export interface KafkaBrokerOptions {
  /** Over the settings below. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Arguments for the formatting of its folder, such as the first users. */
  readonly format?: readonly string[];
  /** Name of the listener that clients use, and the security protocol behind it. */
  readonly protocol?: 'PLAINTEXT' | 'SASL_PLAINTEXT' | 'SASL_SSL' | 'SSL';
}

/**
 * Prepares a broker in a temporary folder, on free ports of this machine; nothing is left of it when the process ends.
 */
export async function createKafkaBroker({
  settings = {},
  format = [],
  protocol = 'PLAINTEXT',
}: KafkaBrokerOptions = {}): Promise<KafkaBroker> {
  const folder = mkdtempSync(join(tmpdir(), 'steadfast-kafka-'));
  const file = join(folder, 'server.properties');
  const [port, controllerPort] = [await freePort(), await freePort()];
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    listeners: `${protocol}://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `${protocol}://127.0.0.1:${port}`,
    'inter.broker.listener.name': protocol,
    'listener.security.protocol.map': `${protocol}:${protocol},CONTROLLER:PLAINTEXT`,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(folder, 'data'),
    'log.cleaner.dedupe.buffer.size': '8388608',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '1',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '100',
    // What it waits before it lets a killed broker back in.
    'broker.session.timeout.ms': '1000',
    'broker.heartbeat.interval.ms': '200',
    // As in most companies: a topic is made on purpose.
    'auto.create.topics.enable': 'false',
    ...settings,
  };
  writeFileSync(
    file,
    Object.entries(properties)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  const classPath = ['-cp', join(kafkaFolder(), '*')];
  let child: ChildProcess | undefined;
  let log = '';
  let isFormatted = false;
  let isRemoved = false;
  const discard = (): void => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once('exit', discard);

  const start = async (): Promise<void> => {
    if (!isFormatted)
      await run(java, [
        ...JVM,
        ...classPath,
        'kafka.tools.StorageTool',
        'format',
        '-t',
        CLUSTER_ID,
        '-c',
        file,
        ...format,
      ]);
    isFormatted = true;
    if (isRemoved) return;
    child = spawn(java, [...JVM, ...classPath, 'kafka.Kafka', file], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        log = (log + chunk.toString()).slice(-4000);
      });
    for (const deadlineMs = Date.now() + START_TIMEOUT_MS; !isRemoved && !(await listens(port)); await sleep(50)) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadlineMs)
        throw new Error(`Kafka did not start: ${log}`);
    }
  };
  const kill = async (): Promise<void> => {
    if (child !== undefined && child.exitCode === null && child.signalCode === null && child.kill('SIGKILL'))
      await once(child, 'exit');
  };
  return {
    address: `127.0.0.1:${port}`,
    start,
    kill,
    remove: async () => {
      isRemoved = true;
      await kill();
      process.off('exit', discard);
      discard();
    },
  };
}

async function listens(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
