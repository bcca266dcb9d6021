import { mock } from 'node:test';
import test from 'ava';
import { createOutageLog } from './outage-log.ts';

function setUp() {
  const lines: string[] = [];
  const say = (level: string) => (fields: object, message?: string) => {
    lines.push(`${level} ${message ?? ''} ${JSON.stringify({ ...fields, err: undefined })}`);
  };
  return { lines, logger: { debug: say('debug'), warn: say('warn'), error: say('error') } };
}

test.before(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 }));
test.after.always(() => mock.timers.reset());

test.serial('an outage is told when it begins and when it is over, with count and duration', (t) => {
  const { lines, logger } = setUp();
  const log = createOutageLog({ logger, message: 'no answer' });
  log.succeeded();
  for (let count = 0; count < 3; count += 1) {
    log.failed(new Error('away'), { loop: 'a' });
    mock.timers.tick(500);
  }
  log.succeeded();
  log.succeeded();
  log.failed(new Error('away'));
  t.deepEqual(lines, [
    'warn no answer {"loop":"a"}',
    'debug no answer {"loop":"a"}',
    'debug no answer {"loop":"a"}',
    'warn over: no answer {"failures":3,"durationMs":1500}',
    'warn no answer {}',
  ]);
});

test.serial('an outage is over after quietMs without a failure', (t) => {
  const { lines, logger } = setUp();
  const log = createOutageLog({ logger, message: 'no answer', level: 'error', quietMs: 1_000 });
  log.failed(new Error('away'));
  mock.timers.tick(900);
  log.failed(new Error('away'));
  mock.timers.tick(999);
  t.is(lines.length, 2);
  mock.timers.tick(1);
  t.deepEqual(lines, [
    'error no answer {}',
    'debug no answer {}',
    'warn over: no answer {"failures":2,"durationMs":900}',
  ]);
});
