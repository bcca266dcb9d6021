import type pg from 'pg';
import { providerIn, type ProcessData, type Provider } from '../../domain/process/definition.ts';
import type { StepResult, StepWork } from '../../domain/process/step-work.ts';
import { localPort, remotePort, type Bindings, type LocalProvider, type PortCall } from '../../gateways/provider.ts';
import type { LocalStep, RemoteStep, StepFunction } from './step-functions.ts';

/**
 * A step that a provider does, over a list of processes that have the same one, wherever that keeps its books. It is
 * refused with one of these codes.
 */
export interface ProviderStep<Port, Needed, Answer, Code extends string = string> {
  /** What the calls need. */
  read(client: pg.ClientBase, works: readonly StepWork[]): Promise<Needed>;
  /** Makes the calls: of a remote provider outside of any transaction. */
  call(port: Port, call: PortCall, needed: Needed): Promise<Answer>;
  /** Writes what became of them; who has recorded it already changes nothing. */
  record(client: pg.ClientBase, works: readonly StepWork[], answer: Answer): Promise<readonly StepResult<Code>[]>;
}

/** Which providers there are, the field of the data that names one, and who it was before there was a choice. */
export interface ProvidedBy<Port> {
  readonly bindings: Bindings<Port>;
  readonly field: string;
  readonly before: Provider;
}

/** The step by the provider that the data of its process name. */
export function providedStep<Port, Needed, Answer>(
  step: ProviderStep<Port, Needed, Answer>,
  { bindings, field, before }: ProvidedBy<Port>,
): (data: ProcessData) => StepFunction {
  return (data) => {
    const provider = providerIn(data, field) ?? before;
    return provider.isRemote
      ? { remote: remoteStep(step, () => remotePort(bindings, provider)) }
      : { local: localStep(step, (books) => localPort(bindings, provider, books)) };
  };
}

/**
 * The step for what was done by hand, or is not to be done: in the books that are ours as ever, and where a provider
 * keeps its own, `unasked` writes what we keep of it.
 */
export function unaskedStep<Port, Needed, Answer>(
  step: ProviderStep<Port, Needed, Answer>,
  unasked: LocalStep,
  { bindings, field, before }: ProvidedBy<Port>,
): (data: ProcessData) => StepFunction {
  return (data) => {
    const provider = providerIn(data, field) ?? before;
    return { local: provider.isRemote ? unasked : localStep(step, (books) => localPort(bindings, provider, books)) };
  };
}

/** The step in one transaction, by a provider that works in it. */
export function localStep<Port, Needed, Answer>(
  step: ProviderStep<Port, Needed, Answer>,
  provider: LocalProvider<Port>,
): LocalStep {
  return async (client, works) => {
    const [first] = works;
    if (first === undefined) return [];
    const { tenantId } = first;
    const needed = await step.read(client, works);
    return step.record(client, works, await step.call(provider(client), { tenantId }, needed));
  };
}

/** The step by a provider elsewhere. */
export function remoteStep<Port, Needed, Answer>(
  step: ProviderStep<Port, Needed, Answer>,
  provider: () => Port,
): RemoteStep<Needed, Answer> {
  return {
    read: (client, works) => step.read(client, works),
    call: async ([first], needed, signal) => {
      if (first === undefined) throw new Error('a step is called for nobody');
      return step.call(provider(), { tenantId: first.tenantId, signal }, needed);
    },
    record: (client, works, answer) => step.record(client, works, answer),
  };
}
