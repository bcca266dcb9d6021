import { OperatorService } from '@temporalio/client';
import protos from '@temporalio/proto';
import test from 'ava';
import { ConfigError } from '../config/setting.ts';
import { ensureSearchAttributes } from './search-attributes.ts';
import { isTemporalAway } from './errors.ts';
import { waitForTemporal } from './wait-for-temporal.ts';

const { ListSearchAttributesResponse } = protos.temporal.api.operatorservice.v1;
const patience = { delayMs: 1, signal: new AbortController().signal };
const grpcError = (code: number) => Object.assign(new Error(`${code}: no`), { code, details: 'no', metadata: {} });
const transportError = (message: string) => Object.assign(new Error(message), { name: 'TransportError' });

test('waitForTemporal waits while Temporal is away', async (t) => {
  const failures = [grpcError(14), transportError('ConnectError("tcp connect error")'), grpcError(13)];
  t.is(
    await waitForTemporal(async () => {
      const error = failures.shift();
      if (error !== undefined) throw error;
      return 'done';
    }, patience),
    'done',
  );
});

test('waitForTemporal gives up on what Temporal refuses', async (t) => {
  const error = await t.throwsAsync(
    waitForTemporal(() => Promise.reject(grpcError(7)), patience),
    { instanceOf: ConfigError },
  );
  t.regex(error.message, /^TEMPORAL_ADDRESS, [^\n]*7: no/);
});

test('isTemporalAway tells a refused connection from one that was not made', (t) => {
  t.true(isTemporalAway(transportError('dns error')));
  t.false(isTemporalAway(transportError('Status { code: Unauthenticated, message: "who?" }')));
});

const NONE = ListSearchAttributesResponse.encode({}).finish();
/** An operator service without search attributes, where registering any fails so. */
const registry = (code: number) => ({
  operatorService: OperatorService.create((method, _request, callback) => {
    if (method.name === 'ListSearchAttributes') callback(null, NONE);
    else callback(grpcError(code));
  }),
});

test('ensureSearchAttributes says what to type where registering them is forbidden', async (t) => {
  const error = await t.throwsAsync(ensureSearchAttributes(registry(7), 'ours'), { instanceOf: ConfigError });
  t.regex(
    error.message,
    /run: temporal operator search-attribute create --namespace ours --name UserStatus --type Keyword /,
  );
});

test('ensureSearchAttributes accepts what another worker registered, and leaves an outage to its caller', async (t) => {
  await t.notThrowsAsync(ensureSearchAttributes(registry(6), 'ours'));
  const away = await t.throwsAsync(ensureSearchAttributes(registry(14), 'ours'));
  t.true(isTemporalAway(away));
});
