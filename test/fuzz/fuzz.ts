import { z } from 'zod';
import type { Answer, TestApi } from '../support/api.ts';
import { measureShortestHold } from '../support/event-loop.ts';
import { planRequests, type PlannedRequest } from './requests.ts';

/** Two tenants with three users each; a user's name and e-mail hold its mark, by which a leak is seen. */
const PERSONS = ['north', 'south'].flatMap((tenant) =>
  [1, 2, 3].map((number) => ({ tenant, sub: `${tenant}-${number}`, mark: `mark-${tenant}-${number}` })),
);

const withId = z.object({ id: z.uuid() });
const withItems = z.object({ items: z.array(withId) });

/**
 * Of the event loop, which the test's own work shares: what it costs to send and to judge a request is in it, too.
 */
const LONGEST_HOLD_MS = 150;

/** What is refused for its form, and not for what else is there: then the document should have forbidden it. */
const REFUSALS_OF_FORM: ReadonlySet<string> = new Set([
  'validation_failed',
  'invalid_payload',
  'malformed_json',
  'bad_request',
]);

/** A change may lack a telephone number because of the row; a registration has no row yet. */
function isRefusalOfForm(operationId: string, code: string): boolean {
  return REFUSALS_OF_FORM.has(code) || (operationId === 'registerUser' && code === 'phone_required');
}

/** What a run did, by status. */
export type FuzzReport = Readonly<Record<string, number>>;

/**
 * Sends `count` requests drawn from the OpenAPI document, each built on what earlier answers showed. Throws at the
 * first answer that the document does not declare, that is a 5xx, that accepts what the document forbids, that refuses
 * what it allows, that shows a user's data to another user or another tenant, or that held the event loop; the message
 * holds the seed and the request.
 */
export async function fuzz(
  api: Pick<TestApi, 'ask'>,
  { seed, count }: { seed: number; count: number },
): Promise<FuzzReport> {
  const ids = new Map(PERSONS.map(({ tenant }) => [tenant, new Set<string>()]));
  const report: Record<string, number> = {};
  for (const [index, planned] of planRequests({ seed, count, persons: PERSONS.length }).entries()) {
    const person = PERSONS[planned.person]!;
    const request = { ...planned, body: withMarks(planned, person) };
    try {
      const known = [...ids.values()].flatMap((set) => [...set]);
      const { result: answer, heldMs } = await measureShortestHold(
        () => send(api, request, { person, known }),
        LONGEST_HOLD_MS,
      );
      if (heldMs > LONGEST_HOLD_MS) throw new Error(`${request.operationId} held the event loop for ${heldMs} ms`);
      judge(request, answer, person);
      for (const id of idsIn(answer)) ids.get(person.tenant)?.add(id);
      report[answer.status] = (report[answer.status] ?? 0) + 1;
    } catch (error) {
      throw new Error(`${String(error)}\nseed ${seed}, request ${index}: ${JSON.stringify(request).slice(0, 1_500)}`, {
        cause: error,
      });
    }
  }
  return report;
}

type Person = (typeof PERSONS)[number];

/** A user's own fields carry its mark, whatever was drawn. */
function withMarks({ body, operationId, isBodyWrong }: PlannedRequest, { sub, mark }: Person): PlannedRequest['body'] {
  if (body === null || isBodyWrong || !('json' in body)) return body;
  const fields = z.looseObject({}).parse(body.json);
  if (operationId === 'registerUser')
    return { json: { ...fields, authSubject: sub, email: `${mark}@example.com`, name: mark } };
  if (operationId === 'placeOrder')
    return { json: { ...fields, shipTo: { ...z.looseObject({}).parse(fields['shipTo']), name: mark } } };
  return body;
}

async function send(
  api: Pick<TestApi, 'ask'>,
  request: PlannedRequest,
  { person, known }: { person: Person; known: readonly string[] },
): Promise<Answer> {
  const { method, template, path, query, headers, body, role } = request;
  const filled = template
    .replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const { value, pick } = path[name] ?? { value: '', pick: null };
      const chosen = pick === null || known.length === 0 ? value : (known[pick % known.length] ?? value);
      return encodeURIComponent(chosen.toWellFormed()) || 'none';
    })
    .replaceAll(/\/(?:\.|%2e){1,2}(?=\/|$)/gi, '/none'); // a client resolves dots before it sends
  const search = new URLSearchParams(given(query)).toString();
  return api.ask(method, search === '' ? filled : `${filled}?${search}`, {
    ...(role === null ? {} : { role, sub: person.sub, tenant: person.tenant }),
    headers: given(headers),
    ...body,
  });
}

function given(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function judge(
  { role, isBodyWrong, isAllowed, operationId }: PlannedRequest,
  { status, body }: Answer,
  { tenant, mark }: Person,
): void {
  if (status >= 500) throw new Error(`${operationId} answered ${status}: ${JSON.stringify(body)}`);
  if (isBodyWrong && status < 400)
    throw new Error(`${operationId} accepted, with ${status}, a body that the document forbids`);
  if (isAllowed && isRefusalOfForm(operationId, String(body['code'])))
    throw new Error(`${operationId} refused what the document allows: ${JSON.stringify(body)}`);
  const text = JSON.stringify(body);
  const leaked = PERSONS.find(
    (other) => other.mark !== mark && text.includes(other.mark) && (role === 'user' || other.tenant !== tenant),
  );
  if (leaked !== undefined) throw new Error(`${operationId} showed data of ${leaked.sub}`);
}

function idsIn({ body }: Answer): string[] {
  const one = withId.safeParse(body);
  const many = withItems.safeParse(body);
  return [...(one.success ? [one.data.id] : []), ...(many.success ? many.data.items.map(({ id }) => id) : [])];
}
