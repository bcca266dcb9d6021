import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import test from 'ava';
import { listen } from '../../src/telemetry/listen.ts';
import { readComposeFile, ROOT } from './compose-file.ts';
import { PASSWORDS, SERVICES, service } from './installation.ts';

const { networks } = readComposeFile(PASSWORDS);
const JOBS = ['migrate', 'temporal-schema', 'temporal-namespace'];

/** Where something listens, and the networks in which it is found there. */
interface Endpoint {
  readonly name: string;
  readonly service: string;
  readonly networks: readonly string[];
}

/** Our processes listen in the network whose subnet they are told; other projects' in all that they are in. */
function endpointsOf(name: string): Endpoint[] {
  const { environment } = service(name);
  const own = (port: string, host: string): Endpoint => {
    const subnet = environment[host];
    const found = Object.entries(networks).filter(([, declared]) => declared?.ipam?.config[0].subnet === subnet);
    return { name: `${name}:${environment[port]}`, service: name, networks: found.map(([network]) => network) };
  };
  if (name === 'api') return [own('PORT', 'HOST'), own('METRICS_PORT', 'METRICS_HOST')];
  if (name === 'worker') return [own('WORKER_PORT', 'HOST')];
  return JOBS.includes(name) ? [] : [{ name, service: name, networks: service(name).networks }];
}

function whoReaches({ service: owner, networks: listening }: Endpoint): string[] {
  return Object.entries(SERVICES)
    .filter(([name, { networks: joined }]) => name !== owner && joined.some((network) => listening.includes(network)))
    .map(([name]) => name)
    .toSorted();
}

test('who reaches what is this table, and nothing but the proxy reaches the API', (t) => {
  const endpoints = Object.keys(SERVICES).flatMap(endpointsOf);
  t.deepEqual(Object.fromEntries(endpoints.map((endpoint) => [endpoint.name, whoReaches(endpoint)])), {
    proxy: ['api'],
    'api:3000': ['proxy'],
    'api:9465': ['prometheus', 'temporal', 'worker'],
    'worker:9464': ['api', 'prometheus', 'temporal'],
    'app-db': ['api', 'migrate', 'worker'],
    'temporal-db': ['temporal', 'temporal-schema'],
    temporal: ['api', 'prometheus', 'temporal-db', 'temporal-namespace', 'temporal-schema', 'temporal-ui', 'worker'],
    'temporal-ui': ['api', 'temporal', 'temporal-namespace', 'worker'],
    kafka: ['api', 'worker'],
    mail: ['api', 'worker'],
    prometheus: ['api', 'grafana', 'temporal', 'worker'],
    grafana: ['prometheus'],
  });
});

test('every network is declared and used, and leads out only where a port is published or a process must', (t) => {
  const joined = new Set(Object.values(SERVICES).flatMap((each) => each.networks));
  t.deepEqual([...joined].toSorted(), Object.keys(networks).toSorted());
  const open = Object.entries(networks).flatMap(([name, declared]) => (declared === null ? [name] : []));
  t.deepEqual(
    Object.fromEntries(
      open.map((name) => [name, Object.keys(SERVICES).filter((each) => service(each).networks.includes(name))]),
    ),
    {
      callers: ['proxy'],
      dashboards: ['prometheus', 'grafana'],
      'temporal-ui': ['temporal-ui'],
      'mail-ui': ['mail'],
      outbound: ['api', 'worker'],
    },
  );
  for (const [name, { ports, networks: own }] of Object.entries(SERVICES))
    t.true(ports.length === 0 || own.some((network) => open.includes(network)), `${name} could not publish its port`);
});

test('each service is in a network with those that it waits for or is told the address of', (t) => {
  for (const [name, { depends_on, networks: own, environment, command = [] }] of Object.entries(SERVICES)) {
    const told = Object.keys(SERVICES).filter((other) =>
      Object.values(environment).some((value) => new RegExp(`(^|[@/])${other}:\\d+`).test(value)),
    );
    const waited = Object.keys(depends_on).filter((other) => !JOBS.includes(other) && command[0] !== 'sh');
    for (const other of new Set([...told, ...waited]))
      if (other !== name)
        t.true(
          own.some((network) => service(other).networks.includes(network)),
          `${name}: ${other}`,
        );
  }
});

test('a health check asks a process that listens in a subnet where it listens', async (t) => {
  const server = createServer((_request, response) => void response.end());
  await listen(server, { host: '127.0.0.1', port: 0, setting: 'PORT' });
  t.teardown(() => void server.close());
  const address = server.address();
  const url = `http://192.0.2.1:${typeof address === 'object' ? address?.port : ''}/readyz`;
  const env = { ...process.env, HOST: '127.0.0.0/8' };
  await t.notThrowsAsync(promisify(execFile)(process.execPath, ['deploy/probe.ts', url], { cwd: ROOT, env }));
});
