import test from 'ava';
import type { Answer, TestApi } from '../support/api.ts';
import { fuzz } from './fuzz.ts';

/** An API that answers everything alike. */
function apiThatAnswers(answer: Partial<Answer>): Pick<TestApi, 'ask'> {
  return { ask: async () => ({ status: 404, headers: new Headers(), body: {}, ...answer }) };
}
const causeOf = async (answer: Partial<Answer>): Promise<string> =>
  fuzz(apiThatAnswers(answer), { seed: 1, count: 300 }).then(
    () => 'nothing found',
    (error: Error) => String(error.cause),
  );

test.serial('fuzz finds a 5xx', async (t) => {
  t.regex(await causeOf({ status: 500 }), /answered 500/);
});

test.serial('fuzz finds data of another user', async (t) => {
  t.regex(await causeOf({ body: { email: 'mark-south-3@example.com' } }), /showed data of south-3/);
});

test.serial('fuzz finds that a forbidden body is accepted', async (t) => {
  t.regex(await causeOf({ status: 200 }), /a body that the document forbids/);
});

test.serial('fuzz finds that an allowed request is refused', async (t) => {
  t.regex(await causeOf({ status: 400, body: { code: 'validation_failed' } }), /refused what the document allows/);
  t.regex(await causeOf({ status: 422, body: { code: 'invalid_payload' } }), /refused what the document allows/);
});

test.serial('fuzz finds that a registration lacks what the document does not ask for', async (t) => {
  t.regex(await causeOf({ status: 400, body: { code: 'phone_required' } }), /registerUser refused what the document/);
});

test.serial('fuzz finds what holds the event loop', async (t) => {
  const api: Pick<TestApi, 'ask'> = {
    ask: async (_method, _path, { raw = '' } = {}) => {
      const isHeavy = raw.length > 90_000 && raw.length < 150_000;
      for (const before = process.threadCpuUsage(); isHeavy && process.threadCpuUsage(before).user < 200_000;);
      return { status: 404, headers: new Headers(), body: {} };
    },
  };
  const error = await t.throwsAsync(fuzz(api, { seed: 1, count: 1_000 }));
  t.regex(String(error.cause), /held the event loop/);
});

test.serial('fuzz sends the same requests for the same seed', async (t) => {
  const sent = async (): Promise<string[]> => {
    const paths: string[] = [];
    const api: Pick<TestApi, 'ask'> = {
      ask: async (method, path) => {
        paths.push(`${method} ${path}`);
        return { status: 404, headers: new Headers(), body: {} };
      },
    };
    await fuzz(api, { seed: 7, count: 50 });
    return paths;
  };
  t.deepEqual(await sent(), await sent());
});
