import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import { proxySinks, workflowInfo, type WorkflowInterceptors } from '@temporalio/workflow';
import { spanIdOf } from './span-id.ts';
import { TRACE_HEADER, type TracingSinks } from './tracing.messages.ts';

/**
 * Ties what a workflow does to the trace of what it heard last: its start, a signal or an Update. Each of those is a
 * span without duration, since an entity workflow stays open for weeks, and a span is exported at its end. Interceptors
 * make no commands and no promises of their own, so that a history replays with and without them.
 */
export function interceptors(): WorkflowInterceptors {
  const { tracing } = proxySinks<TracingSinks>();
  let current: string | undefined;
  let heard = 0;

  const hear = (name: string, headers: Headers): void => {
    const parent = traceparentIn(headers);
    current = undefined;
    if (parent === undefined) return;
    heard += 1;
    const spanId = spanIdOf(`${workflowInfo().runId} ${heard}`);
    tracing.moment({ name, parent, spanId, at: Date.now() });
    const [version, traceId, , flags] = parent.split('-');
    current = [version, traceId, spanId, flags].join('-');
  };
  const pass = <Input extends { readonly headers: Headers }>(input: Input): Input =>
    current === undefined
      ? input
      : {
          ...input,
          headers: { ...input.headers, [TRACE_HEADER]: defaultPayloadConverter.toPayload({ traceparent: current }) },
        };

  return {
    inbound: [
      {
        execute: (input, next) => {
          hear(`RunWorkflow:${workflowInfo().workflowType}`, input.headers);
          return next(input);
        },
        handleSignal: (input, next) => {
          hear(`HandleSignal:${input.signalName}`, input.headers);
          return next(input);
        },
        handleUpdate: (input, next) => {
          hear(`HandleUpdate:${input.name}`, input.headers);
          return next(input);
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(pass(input)),
        scheduleLocalActivity: (input, next) => next(pass(input)),
        continueAsNew: (input, next) => next(pass(input)),
      },
    ],
  };
}

function traceparentIn(headers: Headers): string | undefined {
  const payload = headers[TRACE_HEADER];
  if (payload === undefined) return undefined;
  const { traceparent } = defaultPayloadConverter.fromPayload<{ traceparent?: unknown }>(payload);
  return typeof traceparent === 'string' ? traceparent : undefined;
}
