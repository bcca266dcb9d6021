import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'ava';
import pg from 'pg';
import { parse } from 'yaml';
import { z } from 'zod';
import { until } from '../support/until.ts';
import { ROOT } from './compose-file.ts';
import { startInstallation, type Installation } from './installation.ts';
import { readQuery, readScrape } from './promql.ts';

// What Prometheus itself adds to each series, and makes for each target.
const TARGET_LABELS = ['job', 'instance'];
const MADE_BY_PROMETHEUS = 'up';

const dashboard = z
  .object({
    panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })).default([]) })),
  })
  .parse(JSON.parse(readFileSync(`${ROOT}/deploy/grafana/dashboards/steadfast.json`, 'utf8')));

const alertRule = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().regex(/^\d+[smh]$/),
  labels: z.strictObject({ severity: z.enum(['warning', 'critical']) }),
  annotations: z.strictObject({ summary: z.string() }),
});

const { groups } = z
  .object({
    groups: z.array(z.strictObject({ name: z.string(), rules: z.array(alertRule) })),
  })
  .parse(parse(readFileSync(`${ROOT}/deploy/prometheus/rules.yml`, 'utf8')));

const QUERIES = [
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title: `panel "${title}"`, expr }))),
  ...groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => ({ title: `rule ${alert}`, expr }))),
];

let installation: Installation;

// Deadlines pass at once and alerts are looked for at once, so that each thing counted happens.
test.before(async () => {
  installation = await startInstallation({
    PROFILE_COMPLETION_DEADLINE_DAYS: '0.00001',
    ALERT_CHECK_INTERVAL_MS: '300',
  });
});

test.after.always(async () => {
  // Undefined when the start failed, which has stopped its parts by itself.
  await (installation as Installation | undefined)?.stop();
});

test('a token that one container mints is taken by both API nodes', async (t) => {
  const headers = { Authorization: `Bearer ${await mintToken()}` };
  for (const url of installation.apiUrls) t.is((await fetch(`${url}/users`, { headers })).status, 200);
});

test('the application cannot see a tenant that it did not name, whatever its login', async (t) => {
  await installation.query(
    `INSERT INTO users (tenant_id, id, auth_subject, email) VALUES ('other', gen_random_uuid(), 'hidden',
      'hidden@example.com')`,
  );
  const login = new pg.Client({ connectionString: installation.loginUrl });
  await login.connect();
  t.teardown(() => login.end());
  t.is((await login.query('SELECT FROM users')).rowCount, 0);
  await login.query(`SELECT set_config('steadfast.tenant', '*', false)`);
  t.is((await login.query('SELECT FROM users')).rowCount, 0);
  await t.throwsAsync(login.query('SET ROLE steadfast_app'), { message: /permission denied/ });
});

test('what the dashboard and the rules ask for is in the scrapes of a working API and worker', async (t) => {
  await letThingsHappen();
  await until(async () => missing(await scrape()).length === 0, { timeoutMs: 60_000 }).catch(() => undefined);
  t.deepEqual(missing(await scrape()), []);
  t.true(QUERIES.length > 30);
});

async function mintToken(): Promise<string> {
  return (await installation.run(['node', 'tools/token.ts', '--role', 'admin', '--sub', 'boss'])).trim();
}

/** A registration, a confirmation, an event that cannot be read, and an expired profile. */
async function letThingsHappen(): Promise<void> {
  const registered = await fetch(`${installation.apiUrls[0]}/users`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${await mintToken()}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ authSubject: 'somebody', email: 'somebody@example.com', servicesToSync: ['accounting'] }),
  });
  const { id: userId } = z.object({ id: z.string() }).parse(await registered.json());
  const type = 'sync.user.confirmed';
  const event = {
    specversion: '1.0',
    id: randomUUID(),
    source: 'accounting',
    type,
    data: { userId, service: 'accounting', userVersion: 1 },
  };
  await installation.run(['node', 'docs/examples/publish.ts', type, userId, JSON.stringify(event)]);
  await installation.run(['node', 'docs/examples/publish.ts', type, userId, 'not an event']);
}

async function scrape(): Promise<Map<string, Set<string>>> {
  const texts = await Promise.all(installation.metricsUrls.map(async (url) => (await fetch(url)).text()));
  return readScrape(texts.join('\n'));
}

function missing(metrics: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  return QUERIES.flatMap(({ title, expr }) => {
    const { selections, groupings } = readQuery(expr);
    const asked = selections.filter(({ metric }) => metric !== MADE_BY_PROMETHEUS);
    const known = new Set([...TARGET_LABELS, ...asked.flatMap(({ metric }) => [...(metrics.get(metric) ?? [])])]);
    return [
      ...asked.filter(({ metric }) => !metrics.has(metric)).map(({ metric }) => `${title}: ${metric}`),
      ...asked.flatMap(({ metric, labels }) =>
        labels.filter((label) => !metrics.get(metric)?.has(label)).map((label) => `${title}: ${metric}{${label}}`),
      ),
      ...groupings.filter((label) => !known.has(label)).map((label) => `${title}: grouped by ${label}`),
    ];
  });
}
