import { z } from 'zod';

export const MAX_ID_LENGTH = 300;

/**
 * CloudEvents 1.0 in structured JSON, with the tenant as an extension attribute. Attributes we don't know are left
 * aside.
 */
export function cloudEvent<Type extends string, Data extends z.ZodType>(type: Type, data: Data) {
  return z.object({
    specversion: z.literal('1.0'),
    id: z.string().min(1).max(MAX_ID_LENGTH),
    source: z.string().min(1).max(MAX_ID_LENGTH),
    type: z.literal(type),
    subject: z.string().optional(),
    time: z.iso.datetime({ offset: true }).optional(),
    datacontenttype: z.literal('application/json').optional(),
    tenantid: z
      .string()
      .min(1)
      .refine((tenant) => tenant !== '*', 'must name one tenant')
      .meta({ not: { const: '*' } })
      .optional(),
    traceparent: z
      .string()
      .optional()
      .describe(
        'W3C Trace Context of what the event came from, as the CloudEvents extension for distributed tracing has it.',
      ),
    data,
  });
}
