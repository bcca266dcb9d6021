import { z } from 'zod';
import { STEP_STATUSES } from '../../domain/process/statuses.ts';
import { MAX_LEGS } from '../../domain/routing-slips/limits.ts';
import { REFERENCE, type JsonObject } from '../../domain/routing-slips/references.ts';
import { SLIP_ROLES } from '../../db/routing-slips/slip-activity.ts';
import { processCause, processStatus, stepName } from '../processes/process.schemas.ts';
import { id, instant, nullableInstant } from '../http/values.ts';

/** Any JSON object, as it is: a schema of records would leave `__proto__` out. */
const givenObject = z
  .unknown()
  .refine(isObject, 'must be an object')
  .meta({ type: 'object', additionalProperties: true })
  .transform((value): JsonObject => (isObject(value) ? value : {}));
const jsonObject = z.record(z.string(), z.unknown());

const activityName = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'must be lower-case letters, digits and _');

/** A slip as it is sent. */
export const newRoutingSlipSchema = z
  .strictObject({
    itinerary: z
      .array(
        z.strictObject({
          activity: activityName.meta({ example: 'plan_onboarding' }),
          arguments: givenObject.default({}).meta({
            description:
              `As the activity declares them; anywhere in them, \`{ "${REFERENCE}": "name" }\` stands for the ` +
              'variable of that name when the leg is taken. No variable is taken otherwise.',
          }),
        }),
      )
      .min(1)
      .max(MAX_LEGS),
    variables: givenObject.default({}).meta({ description: 'With which it begins; what legs give is added' }),
  })
  .meta({ id: 'NewRoutingSlip' });

const legSchema = z
  .strictObject({
    leg: stepName.meta({ description: 'Its number, in the order in which legs came on the slip, and activity' }),
    activity: activityName,
    arguments: jsonObject,
    status: z.enum(STEP_STATUSES).meta({ description: 'Legs still to come are `pending`' }),
    attempts: z.number().int(),
    completedAt: nullableInstant,
    error: processCause.nullable(),
  })
  .meta({ id: 'RoutingSlipLeg' });

/** A slip as it stands. */
export const routingSlipSchema = z
  .strictObject({
    id,
    status: processStatus,
    currentLeg: z.string().nullable(),
    cause: processCause.nullable().meta({ description: 'Why it turned back' }),
    itinerary: z.array(legSchema).meta({ description: 'As its legs have revised it; what was taken off is not there' }),
    variables: jsonObject,
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'RoutingSlip' });

const jsonSchema = z.record(z.string(), z.unknown()).meta({ description: 'A JSON Schema (2020-12)' });

/** An activity that may stand on a slip. */
export const slipActivitySchema = z
  .strictObject({
    activity: activityName,
    summary: z.string(),
    arguments: jsonSchema,
    result: jsonSchema.meta({ description: 'Each field becomes a variable' }),
    roles: z.array(z.enum(SLIP_ROLES)).meta({ description: 'Who may put it on a slip' }),
    undo: z.string().nullable().meta({ description: 'What its undo does; null: there is nothing to undo' }),
    isPivot: z.boolean().meta({ description: 'Once it is done nothing is undone any more' }),
    isRemote: z.boolean(),
    canSkip: z.boolean(),
    revises: z.boolean().meta({ description: 'It may change what follows on the slip' }),
  })
  .meta({ id: 'RoutingSlipActivity' });

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
