import type pg from 'pg';
import type { Provider } from '../domain/process/definition.ts';

/** What every call of a port has. */
export interface PortCall {
  readonly tenantId: string;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

/** A provider that keeps its books in our PostgreSQL: its port in the transaction of whoever calls. */
export type LocalProvider<Port> = (books: pg.ClientBase) => Port;

/** What a provider's name is bound to; a remote one is called outside of any transaction. */
export type Binding<Port> = { readonly local: LocalProvider<Port> } | { readonly remote: Port };

/** The providers of one port. */
export interface Bindings<Port> {
  /** A name must stay while processes that keep it are open. */
  readonly byName: Readonly<Record<string, Binding<Port>>>;
  /** Name of the one that new processes get. */
  readonly current: string;
}

/** The provider that new processes get, as they keep it. */
export function currentProvider({ byName, current }: Bindings<unknown>): Provider {
  return { name: current, isRemote: 'remote' in bindingOf(byName, current) };
}

/** The port of a local provider, in a transaction. */
export function localPort<Port>({ byName }: Bindings<Port>, { name }: Provider, books: pg.ClientBase): Port {
  const binding = bindingOf(byName, name);
  if ('remote' in binding) throw new Error(`provider ${name} is remote; the process began with a local one`);
  return binding.local(books);
}

/** The port of a remote provider. */
export function remotePort<Port>({ byName }: Bindings<Port>, { name }: Provider): Port {
  const binding = bindingOf(byName, name);
  if ('local' in binding) throw new Error(`provider ${name} is local; the process began with a remote one`);
  return binding.remote;
}

function bindingOf<Port>(byName: Bindings<Port>['byName'], name: string): Binding<Port> {
  const binding = Object.hasOwn(byName, name) ? byName[name] : undefined;
  if (binding === undefined) throw new Error(`provider ${name} is bound to nothing`);
  return binding;
}
