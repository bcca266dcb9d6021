import test from 'ava';
import { PROCESS_COMMANDS } from './command-names.ts';
import { parseProcessCommand, parseReceived } from './commands.ts';

const codeOf = (parsed: ReturnType<typeof parseReceived>): string => (parsed.ok ? 'ok' : parsed.refusal.code);

test("a command says who gives it and why; what sets the process's own rules aside needs a reason", (t) => {
  t.deepEqual(parseProcessCommand('cancel', undefined), {
    ok: true,
    value: { type: 'cancel', by: 'unknown', reason: null },
  });
  t.deepEqual(parseProcessCommand('skipCompensation', { step: 'pay', by: 'ann', reason: 'paid by hand' }), {
    ok: true,
    value: { type: 'skipCompensation', step: 'pay', by: 'ann', reason: 'paid by hand' },
  });
  for (const type of ['skipCompensation', 'skipStep', 'abandon'] as const)
    t.is(codeOf(parseProcessCommand(type, { by: 'ann', step: 'pay' })), 'invalid_payload', type);
  t.is(codeOf(parseProcessCommand('skipCompensation', { reason: 'because' })), 'invalid_payload', 'no step');
});

test('texts of commands are such as the rows can keep', (t) => {
  const wrong = ['', 'x'.repeat(501), 'a\0b', '\ud800', 7, null, {}];
  for (const type of PROCESS_COMMANDS) {
    for (const by of wrong)
      t.is(
        codeOf(parseProcessCommand(type, { by, reason: 'because', step: 'pay' })),
        'invalid_payload',
        `by ${JSON.stringify(by)}`,
      );
    t.is(codeOf(parseProcessCommand(type, { by: 'ann', reason: 'x'.repeat(500), step: 'pay' })), 'ok');
    t.is(codeOf(parseProcessCommand(type, { by: 'ann', reason: 'x'.repeat(501), step: 'pay' })), 'invalid_payload');
  }
});

test('what is told is a JSON object that the rows can keep, or nothing', (t) => {
  t.deepEqual(parseReceived('arrived'), { ok: true, value: { type: 'receive', event: 'arrived', payload: {} } });
  t.is(codeOf(parseReceived('arrived', { door: { keys: ['a', { b: 1 }] }, note: 'backslash \\u0000 is text' })), 'ok');
  for (const payload of [null, [], 'arrived', 7])
    t.is(codeOf(parseReceived('arrived', payload)), 'invalid_payload', JSON.stringify(payload));
  for (const payload of [
    { a: 'b\0' },
    { 'a\0': 1 },
    { a: [{ b: '\udc00' }] },
    { a: 'x'.repeat(10_000) },
    JSON.parse(`{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`),
  ]) {
    t.is(codeOf(parseReceived('arrived', payload)), 'invalid_payload');
  }
});
