import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/**
 * Where to listen: `host` itself, or, for a subnet such as `172.28.1.0/24`, the address that this machine has in it;
 * undefined when it has none there. In a container of several networks only a subnet says which of them is meant.
 */
export function listenAddress(host: string, addresses: readonly string[] = ownAddresses()): string | undefined {
  const [, network = '', prefix] = /^([^/]+)\/(\d{1,3})$/.exec(host) ?? [];
  if (prefix === undefined) return host;
  const family = isIP(network);
  if (family === 0 || Number(prefix) > (family === 4 ? 32 : 128)) return undefined;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const subnet = new BlockList();
  subnet.addSubnet(network, Number(prefix), type);
  return addresses.find((address) => isIP(address) === family && subnet.check(address, type));
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((interfaces = []) => interfaces.map(({ address }) => address));
}
