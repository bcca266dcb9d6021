import type { Context } from '@temporalio/activity';
import { SpanKind } from '@opentelemetry/api';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import type { ActivityInterceptors, InjectedSinks } from '@temporalio/worker';
import { currentTraceparent, inSpan } from '../telemetry/trace-context.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { TRACE_HEADER, type TracingSinks } from '../workflows/runtime/tracing.messages.ts';

/** Hands the span at work to the workflow that is called; without one the call is as it would be. */
export const traceCalls: WorkflowClientInterceptor = {
  start: (input, next) => next({ ...input, headers: withTrace(input.headers) }),
  startWithDetails: (input, next) => next({ ...input, headers: withTrace(input.headers) }),
  signal: (input, next) => next({ ...input, headers: withTrace(input.headers) }),
  signalWithStart: (input, next) => next({ ...input, headers: withTrace(input.headers) }),
  startUpdate: (input, next) => next({ ...input, headers: withTrace(input.headers) }),
  startUpdateWithStart: (input, next) =>
    next({
      ...input,
      workflowStartHeaders: withTrace(input.workflowStartHeaders),
      updateHeaders: withTrace(input.updateHeaders),
    }),
};

/** Runs each attempt of an activity in a span, under what its workflow heard last. */
export function traceActivity({ info }: Context): ActivityInterceptors {
  const attributes = {
    ...(info.workflowExecution === undefined
      ? {}
      : { 'temporal.workflow.id': info.workflowExecution.workflowId, 'temporal.run.id': info.workflowExecution.runId }),
    'temporal.activity.attempt': info.attempt,
  };
  return {
    inbound: {
      execute: (input, next) =>
        inSpan(
          `RunActivity:${info.activityType}`,
          {
            kind: SpanKind.INTERNAL,
            parent: traceparentIn(input.headers),
            attributes,
          },
          () => next(input),
        ),
    },
  };
}

/** Exports the moments of workflows. */
export function traceSinks(tracing: Tracing): InjectedSinks<TracingSinks> {
  return {
    tracing: {
      moment: {
        fn: ({ workflowId, runId }, moment) =>
          tracing.record({ ...moment, attributes: { 'temporal.workflow.id': workflowId, 'temporal.run.id': runId } }),
        callDuringReplay: false,
      },
    },
  };
}

function withTrace(headers: Headers): Headers {
  const traceparent = currentTraceparent();
  return traceparent === undefined
    ? headers
    : { ...headers, [TRACE_HEADER]: defaultPayloadConverter.toPayload({ traceparent }) };
}

function traceparentIn(headers: Headers): string | undefined {
  const payload = headers[TRACE_HEADER];
  if (payload === undefined) return undefined;
  const { traceparent } = defaultPayloadConverter.fromPayload<{ traceparent?: unknown }>(payload);
  return typeof traceparent === 'string' ? traceparent : undefined;
}
