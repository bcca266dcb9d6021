import { z } from 'zod';
import { faultsOf } from '../../db/routing-slips/check-itinerary.ts';
import { insertRoutingSlip, type NewRoutingSlip } from '../../db/routing-slips/send-routing-slip.ts';
import { SLIP_ACTIVITIES } from '../../db/routing-slips/slip-activities.ts';
import { findActivity, type SlipActivity } from '../../db/routing-slips/slip-activity.ts';
import type { Caller } from '../../auth/roles.ts';
import { isDuplicate } from '../../postgres/errors.ts';
import { Problem } from '../http/problem.ts';
import { route, type Call, type Route } from '../http/route.ts';
import { id } from '../http/values.ts';
import { readSlip } from './read-routing-slip.ts';
import { newRoutingSlipSchema, routingSlipSchema, slipActivitySchema } from './routing-slip.schemas.ts';

const SENDERS = ['service', 'operator', 'admin'] as const;
const MOST_FAULTS = 20;

const activities = route(
  {
    method: 'get',
    path: '/processes/routing-slips/activities',
    operationId: 'listRoutingSlipActivities',
    tag: 'Routing slips',
    roles: SENDERS,
    scope: 'routing-slips:read',
    summary: 'Lists the activities that may stand on a routing slip',
    statuses: { 200: 'The activities' },
    answer: z.strictObject({ items: z.array(slipActivitySchema) }),
    errors: [],
  },
  async () => ({
    status: 200,
    body: { items: Object.entries(SLIP_ACTIVITIES).map(([name, activity]) => activityAnswer(name, activity)) },
  }),
);

const send = route(
  {
    method: 'post',
    path: '/processes/routing-slips',
    operationId: 'sendRoutingSlip',
    tag: 'Routing slips',
    roles: SENDERS,
    scope: 'routing-slips:write',
    summary: 'Sends a routing slip, which is carried from leg to leg, or undone',
    body: newRoutingSlipSchema,
    statuses: { 201: 'The slip is accepted' },
    answer: routingSlipSchema,
    errors: ['activity_not_allowed', 'itinerary_invalid'],
    idempotent: true,
  },
  async ({ deps, caller, body: { itinerary, variables }, effectId: processId }) => {
    const faults = faultsOf(SLIP_ACTIVITIES, { itinerary, variables });
    if (faults.length > 0)
      throw new Problem('itinerary_invalid', {
        errors: faults.slice(0, MOST_FAULTS).map(({ place, message }) => ({ field: `body.${place}`, message })),
      });
    requireAllowed(caller, itinerary);
    const { tenantId } = caller;
    const service = caller.role === 'service' ? caller.service : null;
    await sendOnce(deps, { tenantId, processId, service, itinerary, variables, now: Date.now() });
    deps.wakeOutboxRelay();
    const slip = await readSlip(deps.db, { tenantId, processId }, caller);
    return { status: 201, body: slip, headers: { Location: `/processes/routing-slips/${processId}` } };
  },
);

const read = route(
  {
    method: 'get',
    path: '/processes/routing-slips/:id',
    operationId: 'getRoutingSlip',
    tag: 'Routing slips',
    roles: SENDERS,
    scope: 'routing-slips:read',
    summary: 'Reads a routing slip; a service, one that it has sent',
    params: z.object({ id }),
    statuses: { 200: 'The slip' },
    answer: routingSlipSchema,
    errors: ['routing_slip_not_found'],
  },
  async ({ deps, caller, params: { id: processId } }) => ({
    status: 200,
    body: await readSlip(deps.db, { tenantId: caller.tenantId, processId }, caller),
  }),
);

/** Sending and reading routing slips; what else is done about them is done about processes. */
export const routingSlipRoutes: readonly Route[] = [activities, send, read];

/** Writes the slip, unless an earlier request with the same `Idempotency-Key` has. */
async function sendOnce({ db: { pool } }: Call['deps'], slip: NewRoutingSlip): Promise<void> {
  try {
    await insertRoutingSlip(pool, SLIP_ACTIVITIES, slip);
  } catch (error) {
    if (!isDuplicate(error)) throw error;
  }
}

function requireAllowed({ role }: Caller, itinerary: readonly { readonly activity: string }[]): void {
  const index = itinerary.findIndex(({ activity }) => {
    const roles: readonly string[] = findActivity(SLIP_ACTIVITIES, activity)?.roles ?? [];
    return !roles.includes(role);
  });
  if (index !== -1)
    throw new Problem('activity_not_allowed', {
      detail: `itinerary[${index}].activity: "${itinerary[index]?.activity}" is not for the role ${role}.`,
    });
}

function activityAnswer(name: string, activity: SlipActivity): z.input<typeof slipActivitySchema> {
  const { summary, roles, undo = null, isPivot = false, isRemote = false, canSkip = false, revises = false } = activity;
  return {
    activity: name,
    summary,
    arguments: { ...z.toJSONSchema(activity.arguments, { io: 'input' }) },
    result: { ...z.toJSONSchema(activity.result) },
    roles: [...roles],
    undo,
    isPivot,
    isRemote,
    canSkip,
    revises,
  };
}
