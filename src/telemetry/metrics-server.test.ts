import { createServer } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { pino } from 'pino';
import { listen } from './listen.ts';
import { startMetricsServer, type MetricsServerOptions } from './metrics-server.ts';

const OPTIONS: MetricsServerOptions = {
  host: '127.0.0.1',
  port: 0,
  setting: 'METRICS_PORT',
  metricsText: async () => 'up 1\n',
  logger: pino({ enabled: false }),
};

async function start(t: ExecutionContext, options: Partial<MetricsServerOptions> = {}): Promise<string> {
  const { port, close } = await startMetricsServer({ ...OPTIONS, ...options });
  t.teardown(close);
  return `http://127.0.0.1:${port}`;
}

test('metrics are at one address, by GET and HEAD alone', async (t) => {
  const url = await start(t);
  const metrics = await fetch(`${url}/metrics?name=up`);
  t.deepEqual([metrics.status, await metrics.text()], [200, 'up 1\n']);
  t.is(metrics.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  t.is((await fetch(`${url}/metrics`, { method: 'HEAD' })).status, 200);
  const posted = await fetch(`${url}/metrics`, { method: 'POST', body: 'x' });
  t.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD']);
  for (const path of ['/', '/metrics/', '/METRICS', '/healthz']) t.is((await fetch(`${url}${path}`)).status, 404, path);
});

test('many scrapes at once are one reading, and one that fails leaves the next to succeed', async (t) => {
  let readings = 0;
  const waiting: ((text: string) => void)[] = [];
  const url = await start(t, {
    metricsText: async () => {
      readings += 1;
      if (readings > 1) throw new Error('the registry is broken');
      return new Promise((resolve) => void waiting.push(resolve));
    },
    isPolling: () => waiting.length === 1,
  });
  const scrapes = Array.from({ length: 20 }, () => fetch(`${url}/metrics`));
  while ((await fetch(`${url}/healthz`)).status !== 200);
  waiting.forEach((give) => give('up 1\n'));
  t.deepEqual(await Promise.all(scrapes.map(async (scrape) => (await scrape).status)), Array(20).fill(200));
  t.is(readings, 1);
  t.is((await fetch(`${url}/metrics`)).status, 500);
  t.is((await fetch(`${url}/healthz`)).status, 200);
});

test('a port that is taken or no address of ours is named with its setting', async (t) => {
  const first = createServer();
  await listen(first, { host: '127.0.0.1', port: 0, setting: 'PORT' });
  t.teardown(() => void first.close());
  const address = first.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await t.throwsAsync(startMetricsServer({ ...OPTIONS, port }), {
    name: 'ConfigError',
    message: `METRICS_PORT: ${port} on 127.0.0.1 is taken`,
  });
  await t.throwsAsync(startMetricsServer({ ...OPTIONS, host: '240.0.0.1' }), {
    name: 'ConfigError',
    message: /^METRICS_PORT: 0 on 240\.0\.0\.1 is no address of this machine$/,
  });
});
