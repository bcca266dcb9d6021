import { z } from 'zod';

const provider = z.string().meta({ description: 'Who has it' });

/** What a process that is over has left behind, as answers have it. */
export const leftOverSchema = z
  .strictObject({
    payment: z
      .strictObject({
        amountMinor: z.number().int(),
        currency: z.string(),
        provider,
        status: z.enum(['authorised', 'captured', 'unknown', 'accepted']).meta({
          description: '`unknown`: it may have been taken; `accepted`: promised by a refund that was not paid',
        }),
      })
      .optional(),
    pieces: z
      .array(z.strictObject({ sku: z.string(), quantity: z.number().int() }))
      .optional()
      .meta({ description: 'Still reserved, or in the wrong place' }),
    shipment: z
      .strictObject({ shipmentId: z.string().nullable(), status: z.enum(['accepted', 'unknown']) })
      .optional()
      .meta({ description: 'It may be under way' }),
  })
  .meta({
    id: 'LeftOver',
    description: 'What is left over and waits to be settled, once the process is over; empty: nothing',
  });
