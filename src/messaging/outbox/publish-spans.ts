import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { startSpan } from '../../telemetry/trace-context.ts';
import type { BusMessage } from '../bus.ts';

/** Publishes messages, with a span for each that belongs to a trace, under the span that wrote it. */
export async function inPublishSpans(messages: readonly BusMessage[], publish: () => Promise<void>): Promise<void> {
  const spans = messages.flatMap(({ traceparent, topic, messageId }) =>
    traceparent === undefined
      ? []
      : [
          startSpan(`publish ${topic}`, {
            kind: SpanKind.PRODUCER,
            parent: traceparent,
            attributes: { 'messaging.destination.name': topic, 'messaging.message.id': messageId },
          }),
        ],
  );
  try {
    await publish();
  } catch (error) {
    for (const span of spans) span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    for (const span of spans) span.end();
  }
}
