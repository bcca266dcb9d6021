import { isIP } from 'node:net';
import { findErrorBy, type BaseOptions } from '@platformatic/kafka';

/** How the brokers are reached. */
export interface KafkaConnection {
  /** host:port of some brokers; they tell of the others. */
  readonly brokers: readonly string[];
  /** Our name in the brokers' logs and quotas. */
  readonly clientId: string;
  /** Left out: no TLS. Without `ca` the machine's own authorities are trusted. */
  readonly tls?: { readonly ca?: string } | undefined;
  readonly sasl?: KafkaCredentials | undefined;
}

/** A name and password, and how they are proved. */
export interface KafkaCredentials {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  readonly username: string;
  readonly password: string;
}

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * The options that all our clients share; `requestTimeoutMs` must be longer than the broker may keep an answer back.
 */
export function clientOptions(
  { brokers, clientId, tls, sasl }: KafkaConnection,
  requestTimeoutMs: number,
): BaseOptions {
  // The name asked for in the TLS handshake may not be an address.
  const hasNames = brokers.some((broker) => isIP(broker.slice(0, broker.lastIndexOf(':'))) === 0);
  return {
    clientId,
    bootstrapBrokers: [...brokers],
    connectTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: requestTimeoutMs,
    // Whoever calls tries again, and knows better for how long.
    retries: 0,
    ...(tls === undefined ? {} : { tls: tls.ca === undefined ? {} : { ca: tls.ca }, tlsServerName: hasNames }),
    ...(sasl === undefined ? {} : { sasl: { ...sasl } }),
  };
}

/** Whether one of the protocol's errors is behind this one. */
export function isKafkaError(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof Error && names.some((name) => findErrorBy(error, 'apiId', name) !== null);
}

/** Whether the error says that the group no longer knows us as we are. */
export function isOutOfGroup(error: unknown): boolean {
  return error instanceof Error && findErrorBy(error, 'needsRejoin', true) !== null;
}
