import test from 'ava';
import { createLogger } from './logger.ts';

test('createLogger writes no secret and nothing that tells who a user is', (t) => {
  const lines: string[] = [];
  const logger = createLogger({ LOG_LEVEL: 'info' }, 'api', {
    write: (line) => {
      lines.push(line);
    },
  });
  logger.info(
    {
      email: 'a@users.example',
      user: { id: 'u1', email: 'a@users.example', name: 'Ada' },
      req: { headers: { authorization: 'Bearer x' } },
    },
    'seen',
  );
  logger.debug('not asked for');
  t.is(lines.length, 1);
  t.like(JSON.parse(lines[0] ?? ''), { level: 'info', name: 'api', msg: 'seen', user: { id: 'u1' } });
  t.notRegex(lines[0] ?? '', /users\.example|Ada|Bearer/);
});
