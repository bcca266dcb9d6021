import {
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Span,
  type SpanKind,
} from '@opentelemetry/api';

const tracer = trace.getTracer('steadfast');
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** What a span is begun with. Attributes hold no personal data: names of routes, topics and workflows, and our ids. */
export interface SpanStart {
  readonly kind: SpanKind;
  /** W3C `traceparent` of what caused it; without one, or with one that can't be read, it begins a trace. */
  readonly parent: string | null | undefined;
  readonly attributes?: Attributes;
  /** Milliseconds since the epoch; now. */
  readonly at?: number;
}

/** The W3C `traceparent` of the span at work; undefined when nothing is traced. */
export function currentTraceparent(): string | undefined {
  const span = trace.getActiveSpan()?.spanContext();
  if (span === undefined || !isSpanContextValid(span)) return undefined;
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`;
}

/** The context that a `traceparent` describes. */
function contextOf(traceparent: string | null | undefined): Context {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return ROOT_CONTEXT;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

/** Begins a span that its caller ends; costs next to nothing when nothing is traced. */
export function startSpan(name: string, { kind, parent, attributes = {}, at }: SpanStart): Span {
  return tracer.startSpan(
    name,
    { kind, attributes, ...(at === undefined ? {} : { startTime: at }) },
    contextOf(parent),
  );
}

/** Runs `work` as this span, so that what it begins belongs to it. */
export function asSpan<Result>(span: Span, work: () => Result): Result {
  return context.with(trace.setSpan(context.active(), span), work);
}

/** Runs `work` in a span of its own, which says by the error's name, not by its words, that it failed. */
export async function inSpan<Result>(name: string, start: SpanStart, work: () => Promise<Result>): Promise<Result> {
  const span = startSpan(name, start);
  try {
    return await asSpan(span, work);
  } catch (error) {
    span
      .setStatus({ code: SpanStatusCode.ERROR })
      .setAttribute('error.type', error instanceof Error ? error.name : typeof error);
    throw error;
  } finally {
    span.end();
  }
}
