import { z } from 'zod';
import { integer, number, optional, type Setting } from './setting.ts';

/** Settings of traces. */
export const telemetrySettings = {
  OTEL_EXPORTER_OTLP_ENDPOINT: ['', optional.pipe(z.url({ protocol: /^https?$/ }).optional())],
  OTEL_TRACES_SAMPLER: [
    'parentbased_always_on',
    z.enum([
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ]),
  ],
  OTEL_TRACES_SAMPLER_ARG: ['1', number(0).pipe(z.number().max(1))],
  OTEL_BSP_SCHEDULE_DELAY: ['5000', integer(1)],
} as const satisfies Record<string, Setting>;
