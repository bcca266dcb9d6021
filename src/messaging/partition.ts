/** Partition of a key, from 0 to below `partitions`: FNV-1a, 32 bits. Rows that are stored rely on it not changing. */
export function partitionOf(key: string, partitions: number): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(key, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0) % partitions;
}
