import type pg from 'pg';
import { DEFAULT_TIME_LIMIT_MS, type Provider } from '../../domain/process/definition.ts';
import { localPort, remotePort, type Bindings, type PortCall } from '../../gateways/provider.ts';

/**
 * A call of a provider: one that keeps its books elsewhere is called now, outside of any transaction; one of ours in
 * the transaction that the answer is given.
 */
export async function callProvider<Port, Answer>(
  { bindings, provider, tenantId }: { bindings: Bindings<Port>; provider: Provider; tenantId: string },
  call: (port: Port, call: PortCall) => Promise<Answer>,
): Promise<(client: pg.ClientBase) => Promise<Answer>> {
  if (!provider.isRemote) return (client) => call(localPort(bindings, provider, client), { tenantId });
  const signal = AbortSignal.timeout(DEFAULT_TIME_LIMIT_MS);
  const answer = await call(remotePort(bindings, provider), { tenantId, signal });
  return async () => answer;
}
