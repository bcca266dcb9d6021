import { z } from 'zod';
import { flag, hostPorts, integer, list, optional, settingError, type Setting, type SettingValues } from './setting.ts';

/** Settings of the message bus. */
export const messagingSettings = {
  BUS: ['postgres', z.enum(['postgres', 'kafka'])],
  BUS_PARTITIONS: ['8', integer(1, 256)],
  BUS_POLL_MS: ['500', integer(10)],
  BUS_RETRY_DELAYS_MS: ['200,1000,5000', list.pipe(z.array(integer(0)))],
  KAFKA_BROKERS: ['', hostPorts],
  KAFKA_CLIENT_ID: ['steadfast', z.string().regex(/^\S+$/, 'must have no space')],
  KAFKA_TLS: ['false', flag],
  KAFKA_CA_FILE: ['', optional],
  KAFKA_SASL_MECHANISM: ['', optional.pipe(z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']).optional())],
  KAFKA_SASL_USERNAME: ['', optional],
  KAFKA_SASL_PASSWORD: ['', optional],
} as const satisfies Record<string, Setting>;

/** Fails unless the settings of Kafka go with one another. */
export function assertMessagingSettings(config: SettingValues<typeof messagingSettings>): void {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = config;
  if (config.BUS === 'kafka' && config.KAFKA_BROKERS.length === 0) {
    throw settingError('KAFKA_BROKERS', 'BUS=kafka needs it');
  }
  if (config.KAFKA_CA_FILE !== undefined && !config.KAFKA_TLS) {
    throw settingError('KAFKA_TLS', 'it must be true for KAFKA_CA_FILE to be used');
  }
  if (mechanism === undefined && (username ?? password) !== undefined) {
    throw settingError('KAFKA_SASL_MECHANISM', 'the user name and password need it');
  }
  if (mechanism !== undefined && username === undefined) {
    throw settingError('KAFKA_SASL_USERNAME', 'KAFKA_SASL_MECHANISM needs it');
  }
  if (mechanism !== undefined && password === undefined) {
    throw settingError('KAFKA_SASL_PASSWORD', 'KAFKA_SASL_MECHANISM needs it');
  }
}
