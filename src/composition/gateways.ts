import type { ActivityGateways } from '../activities/create-activities.ts';
import type { Config } from '../config/config.ts';
import { defaultPorts } from '../gateways/default-ports.ts';
import { createSmtpGateway } from '../gateways/mail.ts';
import { smsGatewayOf } from '../gateways/sms.ts';

/** The gateways that the settings name, and how to end their connections. */
export function createGateways(config: Config): ActivityGateways & { close(): void } {
  const mail =
    config.SMTP_URL === undefined ? undefined : createSmtpGateway({ url: config.SMTP_URL, from: config.MAIL_FROM });
  return { ...defaultPorts(config), mail, sms: smsGatewayOf(config), close: () => mail?.close() };
}
