import { z } from 'zod';
import type { OrderRow } from '../../db/orders/order-list.ts';
import { ORDER_MODES, ORDER_SERVICES } from '../../domain/orders/choreographed-order.ts';
import { ORDER_STATUSES, orderRefusalOf, orderStatusOf } from '../../domain/orders/order-status.ts';
import { id, instant, text, trimmedText } from '../http/values.ts';
import { leftOverSchema } from '../processes/left-over.schema.ts';

/** Statuses of orders as the API spells them. */
export const orderStatus = z.enum(ORDER_STATUSES);
export const customerId = text(200);
/** What a product is known by. */
export const sku = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be letters, digits, ., - and _')
  .meta({ example: 'MUG-1' });
export const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code')
  .meta({ example: 'EUR' });
/** Largest sum of money that JSON numbers keep exactly, with room to add. */
export const MAX_MINOR = 1_000_000_000_000;
/** Pieces of products, each sku once; JSON Schema has no word for that. */
export const pieces = z
  .array(z.strictObject({ sku, quantity: z.number().int().min(1).max(10_000) }))
  .max(50)
  .refine((lines) => new Set(lines.map((line) => line.sku)).size === lines.length, 'must name each sku once')
  .meta({ description: 'Each sku once', uniqueItems: true, 'x-unique-by': 'sku' });

const payment = z.strictObject({ method: z.literal('account').meta({ description: "On the customer's account" }) });
const shipTo = z.strictObject({
  name: trimmedText(200),
  street: trimmedText(200),
  postalCode: trimmedText(20),
  city: trimmedText(100),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 alpha-2 code')
    .meta({ example: 'FR' }),
});

const mode = z.enum(ORDER_MODES);

/** Body of a new order. */
export const newOrderSchema = z
  .strictObject({
    customerId,
    items: pieces.min(1),
    currency,
    payment,
    shipTo,
    mode: mode.default('orchestration').meta({ description: 'Who carries it: a workflow, or services by messages' }),
  })
  .meta({ id: 'NewOrder' });

const refusal = z
  .strictObject({ code: z.string(), message: z.string() })
  .meta({ id: 'OrderRefusal', description: 'Why it was refused, for its customer' });

const conversation = z
  .strictObject({
    awaiting: z
      .strictObject({
        message: z.string().meta({ example: 'ReserveInventory' }),
        service: z.enum([...ORDER_SERVICES, 'delivery']).meta({ description: 'Who should answer' }),
        since: instant,
        times: z.number().int().meta({ description: 'How often it was asked' }),
        dueAt: instant.nullable().meta({ description: 'When operators are told that it was not answered' }),
      })
      .nullable()
      .meta({ description: 'What was asked last, or is waited for; null: nothing' }),
    deadLetters: z
      .array(z.strictObject({ id, source: z.string(), message: z.string(), cause: z.string(), parkedAt: instant }))
      .meta({ description: 'Its messages that could not be taken; a replay is the repair' }),
  })
  .meta({ id: 'OrderConversation', description: 'How the services of a choreographed order stand with each other' });

/** An order, as every answer has it. */
export const orderSchema = z
  .strictObject({
    id,
    mode,
    customerId: z.string(),
    placedBy: id.nullable().meta({ description: 'The user who placed it' }),
    status: orderStatus,
    currency: z.string(),
    totalMinor: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'In minor units of the currency; null until it is validated' }),
    items: z.array(
      z.strictObject({ sku: z.string(), quantity: z.number().int(), unitPriceMinor: z.number().int().nullable() }),
    ),
    payment: z.strictObject({ method: z.string() }),
    shipTo: z
      .strictObject({
        name: z.string(),
        street: z.string(),
        postalCode: z.string(),
        city: z.string(),
        country: z.string(),
      })
      .nullable(),
    refusal: refusal.nullable(),
    leftOver: leftOverSchema.optional(),
    conversation: conversation.optional(),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'Order' });

/** An event of an order as its stream has it; `sequence` is the event's id there. */
export const orderEventSchema = z
  .strictObject({
    sequence: z.number().int(),
    at: instant,
    type: z.string().meta({ example: 'StepCompleted' }),
    step: z.string().nullable(),
    refusal: refusal.nullable(),
  })
  .meta({ id: 'OrderEvent' });

/** The order as answers have it. */
export function orderAnswer(row: OrderRow): z.input<typeof orderSchema> {
  return {
    id: row.id,
    mode: row.mode,
    customerId: row.customerId,
    placedBy: row.placedBy,
    status: orderStatusOf(row),
    currency: row.currency,
    totalMinor: row.totalMinor,
    items: [...row.items],
    payment: row.payment,
    shipTo: row.shipTo,
    refusal: orderRefusalOf(row.cause),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
