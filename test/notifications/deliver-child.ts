import { MockActivityEnvironment } from '@temporalio/testing';
import { createNotificationActivities } from '../../src/activities/notifications/deliver-notifications.ts';
import { createSmtpGateway } from '../../src/gateways/mail.ts';
import { settings, TENANT } from './fixtures.ts';
import { openTestDb } from '../support/services.ts';

// A worker's delivery in a process of its own, for the test to kill: arguments are the database, the mail server and
// the ids.
const [databaseUrl = '', smtpUrl = '', ...notificationIds] = process.argv.slice(2);
const mail = createSmtpGateway({ url: smtpUrl, from: 'no-reply@example.org' });
const { deliverNotifications } = createNotificationActivities({
  db: openTestDb(databaseUrl),
  mail,
  config: settings(),
});
await new MockActivityEnvironment().run(deliverNotifications, { tenantId: TENANT, notificationIds });
