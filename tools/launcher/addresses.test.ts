import test from 'ava';
import { httpUrl } from './addresses.ts';

for (const [host, url] of [
  ['127.0.0.1', 'http://127.0.0.1:3000'],
  ['0.0.0.0', 'http://127.0.0.1:3000'],
  ['::', 'http://127.0.0.1:3000'],
  ['192.0.2.7', 'http://192.0.2.7:3000'],
  ['::1', 'http://[::1]:3000'],
  ['localhost', 'http://localhost:3000'],
] as const) {
  test(`httpUrl leads to a server that listens on ${host}`, (t) => t.is(httpUrl(host, 3000), url));
}
