import test from 'ava';
import { channelsOf } from './channels.ts';

test('channelsOf keeps what the user chose, as far as it can reach the user, and falls back to e-mail', (t) => {
  const phone = '+33123456789';
  t.deepEqual(channelsOf({ notificationChannels: ['sms', 'email'], phone }), ['sms', 'email']);
  t.deepEqual(channelsOf({ notificationChannels: ['sms'], phone }), ['sms']);
  t.deepEqual(channelsOf({ notificationChannels: ['sms'], phone: null }), ['email']);
  t.deepEqual(channelsOf({ notificationChannels: ['pigeon'], phone }), ['email']);
});
