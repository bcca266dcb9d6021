import { context, SpanKind, trace, type Attributes } from '@opentelemetry/api';
import type * as Sdk from '@opentelemetry/sdk-trace';
import type { Config } from '../config/config.ts';
import { assertNever } from '../domain/shared/assert-never.ts';
import { startSpan } from './trace-context.ts';

type TracingSettings = Pick<
  Config,
  'OTEL_EXPORTER_OTLP_ENDPOINT' | 'OTEL_TRACES_SAMPLER' | 'OTEL_TRACES_SAMPLER_ARG' | 'OTEL_BSP_SCHEDULE_DELAY'
>;

/** A moment that somebody else has named: its id is what its children know it by. */
export interface Moment {
  readonly name: string;
  /** W3C `traceparent` of what caused it. */
  readonly parent: string;
  readonly spanId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly attributes: Attributes;
}

/** Tracing at work. */
export interface Tracing {
  /** Exports a span without duration under the id that it has already. */
  record(moment: Moment): void;
  /** Exports what is waiting, and ends. */
  stop(): Promise<void>;
}

/**
 * Exports the process's spans by OTLP over HTTP in protobuf; undefined, with nothing loaded, without an endpoint. The
 * exporter reads its other settings, such as OTEL_EXPORTER_OTLP_HEADERS, from the environment by itself.
 */
export async function startTracing(settings: TracingSettings, service: string): Promise<Tracing | undefined> {
  if (settings.OTEL_EXPORTER_OTLP_ENDPOINT === undefined) return undefined;
  const [
    sdk,
    { detectResources, envDetector, resourceFromAttributes },
    { AsyncLocalStorageContextManager },
    { OTLPTraceExporter },
  ] = await Promise.all([
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/context-async-hooks'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
  ]);
  const ids = presetIds(sdk);
  const provider = new sdk.TracerProvider({
    sampler: samplerOf(sdk, settings),
    idGenerator: ids,
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win.
    resource: resourceFromAttributes({ 'service.name': service }).merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: new OTLPTraceExporter(),
        scheduledDelayMillis: settings.OTEL_BSP_SCHEDULE_DELAY,
      }),
    ],
  });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  return {
    record: ({ name, parent, spanId, at, attributes }) => {
      ids.preset = spanId;
      startSpan(name, { kind: SpanKind.INTERNAL, parent, attributes, at }).end(at);
      ids.preset = undefined;
    },
    // A collector that is away must not keep the process from ending in order.
    stop: () => provider.shutdown().catch(() => {}),
  };
}

/** Random ids, but for the span whose id is given. */
function presetIds({ RandomIdGenerator }: typeof Sdk): Sdk.IdGenerator & { preset: string | undefined } {
  const random = new RandomIdGenerator();
  return {
    preset: undefined,
    generateTraceId: () => random.generateTraceId(),
    generateSpanId() {
      return this.preset ?? random.generateSpanId();
    },
  };
}

function samplerOf(
  sdk: typeof Sdk,
  { OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: ratio }: TracingSettings,
): Sdk.Sampler {
  const basedOnParent = (root: Sdk.Sampler): Sdk.Sampler => new sdk.ParentBasedSampler({ root });
  switch (name) {
    case 'always_on':
      return new sdk.AlwaysOnSampler();
    case 'always_off':
      return new sdk.AlwaysOffSampler();
    case 'traceidratio':
      return new sdk.TraceIdRatioBasedSampler(ratio);
    case 'parentbased_always_on':
      return basedOnParent(new sdk.AlwaysOnSampler());
    case 'parentbased_always_off':
      return basedOnParent(new sdk.AlwaysOffSampler());
    case 'parentbased_traceidratio':
      return basedOnParent(new sdk.TraceIdRatioBasedSampler(ratio));
    default:
      return assertNever(name);
  }
}
