import test from 'ava';
import { loadConfig } from './config.ts';
import { listenAddress } from './listen-address.ts';

const ADDRESSES = ['127.0.0.1', '10.0.0.7', '172.28.1.9', 'fd00::7'];

test('a subnet stands for the address that this machine has in it, anything else for itself', (t) => {
  for (const [host, address] of [
    ['172.28.1.0/24', '172.28.1.9'],
    ['10.0.0.0/8', '10.0.0.7'],
    ['fd00::/64', 'fd00::7'],
    ['0.0.0.0', '0.0.0.0'],
    ['localhost', 'localhost'],
    ['172.28.2.0/24', undefined],
    ['172.28.1.0/33', undefined],
    ['nonsense/24', undefined],
  ] as const)
    t.is(listenAddress(host, ADDRESSES), address, host);
});

test('HOST and METRICS_HOST may be subnets, and one without an address of this machine is refused by name', (t) => {
  t.like(loadConfig({ HOST: '127.0.0.0/8', METRICS_HOST: '127.0.0.0/8' }), {
    HOST: '127.0.0.1',
    METRICS_HOST: '127.0.0.1',
  });
  t.throws(() => loadConfig({ METRICS_HOST: '240.0.0.0/8' }), { message: /^METRICS_HOST: this machine has no addr/ });
});
