import { z } from 'zod';
import type { BusMessage } from '../messaging/bus.ts';
import { cloudEvent } from './cloud-event.ts';

/** Our consumer of what services say: its group on the bus, its name in the inbox, its source of dead letters. */
export const SYNC_CONFIRMATIONS = 'sync-confirmations';

/** Topics of the bus; the type of an event is its topic. */
export const TOPICS = {
  userCreated: 'user.created',
  userUpdated: 'user.updated',
  userDeleted: 'user.deleted',
  syncConfirmed: 'sync.user.confirmed',
  syncFailed: 'sync.user.failed',
  reconciliationRequest: 'sync.user.reconciliation.request',
} as const;

const userId = z.guid().describe("Our id of the user, never the identity provider's.");
const version = z.int32().positive().describe('Version of the user, counted up by each change.');
const service = z.string().min(1).max(63).describe("Name of the service, as the user's list of services has it.");

const userData = z.object({
  userId,
  authSubject: z.string(),
  email: z.string(),
  name: z.string().nullable(),
  locale: z.string(),
  phone: z.string().nullable(),
  status: z.enum(['active', 'pending_profile', 'suspended', 'inactive']),
  customerId: z.string().nullable(),
  customerKind: z.enum(['company', 'financial_institution']).nullable(),
  version,
  services: z.array(service).describe('Services that are asked to take this version over and to confirm it.'),
});

const deletedData = z.object({
  userId,
  version,
  services: z
    .array(service)
    .optional()
    .describe('Services that are asked to confirm this version, once they have forgotten the user.'),
});

/** Schema of each topic's events. */
export const EVENTS = {
  [TOPICS.userCreated]: cloudEvent(TOPICS.userCreated, userData),
  [TOPICS.userUpdated]: cloudEvent(TOPICS.userUpdated, userData),
  [TOPICS.userDeleted]: cloudEvent(TOPICS.userDeleted, deletedData),
  [TOPICS.syncConfirmed]: cloudEvent(TOPICS.syncConfirmed, z.object({ userId, service, userVersion: version })),
  [TOPICS.syncFailed]: cloudEvent(
    TOPICS.syncFailed,
    z.object({ userId, service, userVersion: version, error: z.string().optional() }),
  ),
  [TOPICS.reconciliationRequest]: cloudEvent(
    TOPICS.reconciliationRequest,
    z.object({
      userId,
      service,
      reason: z.string().optional(),
      userVersion: version.optional().describe('Version that the service holds; left out: none, or it does not know.'),
    }),
  ),
} as const;

/** What an event about a user is made of. */
export interface UserEventInput {
  /** The same id when the same event is written again. */
  readonly messageId: string;
  readonly user: Omit<z.output<typeof userData>, 'userId' | 'services'> & {
    readonly tenantId: string;
    readonly id: string;
    readonly updatedAt: Date;
  };
  readonly topic: typeof TOPICS.userCreated | typeof TOPICS.userUpdated | typeof TOPICS.userDeleted;
  /** Who is asked to confirm it. */
  readonly services: readonly string[];
}

/** The message about a user as its row is; its time is that of the row's last change. */
export function userEvent(input: UserEventInput): BusMessage {
  const { topic, messageId, user } = input;
  const { tenantId, id, version: userVersion } = user;
  const data: z.input<typeof userData> | z.input<typeof deletedData> =
    input.topic === TOPICS.userDeleted
      ? { userId: id, version: userVersion, services: [...input.services] }
      : {
          userId: id,
          authSubject: user.authSubject,
          email: user.email,
          name: user.name,
          locale: user.locale,
          phone: user.phone,
          status: user.status,
          customerId: user.customerId,
          customerKind: user.customerKind,
          version: userVersion,
          services: [...input.services],
        };
  const event = {
    specversion: '1.0',
    id: messageId,
    source: 'steadfast',
    type: topic,
    subject: id,
    time: user.updatedAt.toISOString(),
    datacontenttype: 'application/json',
    tenantid: tenantId,
    data,
  };
  return { tenantId, messageId, topic, key: id, payload: JSON.stringify(event) };
}
