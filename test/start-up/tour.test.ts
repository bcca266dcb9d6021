import { parseEnv } from 'node:util';
import test from 'ava';
import { createInstallation, startLauncher } from '../support/launcher.ts';
import { sectionsOf, typeSections } from '../support/tour.ts';

const TIMEOUT_MS = 240_000;

// What each section of docs/tour.md promises, and the problems that it means to be answered.
const PROMISES: Record<string, { readonly printed: readonly RegExp[]; readonly problems: readonly string[] }> = {
  'Get ready': { printed: [], problems: [] },
  'A user': {
    printed: [/"status":"pending_profile"/, /profile:/, /user-sync:/, /"profileCompletionStatus":"in_progress"/],
    problems: ['profile_not_expired'],
  },
  'Copies in other services': { printed: [/"status":"active","version":2/, /"syncStatus":"synced"/], problems: [] },
  Signals: { printed: [/"refused":\[.*profile_not_expired/, /"syncStatus":"in_progress"/], problems: [] },
  Damage: { printed: [/"restarted":1/, /"status":"active"/], problems: [] },
  Orders: {
    printed: [/^data: .*ProcessCompleted/m, /"status":"refused"/, /out_of_stock/, /compensated/],
    problems: ['past_point_of_no_return'],
  },
  'Taking on a company': {
    printed: [
      /"leg":"4:check_tax_number"[^]*"leg":"5:open_credit_account"[^]*"leg":"2:invite_users"/,
      /"tax_number_invalid"/,
      /"leg":"1:open_credit_account"[^{]*{[^{}]*}[^{}]*"status":"compensated"/,
    ],
    problems: [],
  },
  'An order that needs you': {
    printed: [
      /"step_failed"/,
      /"process_parked"/,
      /Abandoned at create_shipment/,
      /"replayed":1/,
      /"status":"shipped"/,
    ],
    problems: [],
  },
  'A service of another team': {
    printed: [/accounting: user\.updated, version 2/, /"malformed_event"/, /"dead_letter_depth"/, /"discarded":1/],
    problems: [],
  },
};

test.serial('every command of the README and of the tour works and shows what its text promises', async (t) => {
  t.timeout(TIMEOUT_MS);
  const installation = await createInstallation(t);
  const typed = { installation, timeoutMs: TIMEOUT_MS };
  const sections = sectionsOf('docs/tour.md');
  const [restarted] = sections.splice(-1);
  const [settings = '', ...lastScript] = restarted!.script.split('npm start\n');
  t.is(lastScript.length, 1);

  const first = startLauncher(t, installation, { ALERT_CHECK_INTERVAL_MS: '1000' });
  await first.printed(/Steadfast is ready/);
  const readme = await typeSections(
    sectionsOf('README.md').filter(({ heading }) => heading === 'A tour'),
    typed,
  );
  t.regex(readme.get('A tour') ?? '', /"status":"active"[^]*profile:[^]*"restarted":1/);

  const said = await typeSections(sections, typed);
  t.deepEqual([...said.keys()], Object.keys(PROMISES));
  for (const [heading, { printed, problems }] of Object.entries(PROMISES)) {
    const text = said.get(heading) ?? '';
    for (const pattern of printed) t.regex(text, pattern, heading);
    t.deepEqual(problemsOf(text), problems, `${heading}:\n${text}`);
  }
  first.send('SIGINT');
  t.is(await first.exited, 0);

  const second = startLauncher(t, installation, parseSettings(settings));
  await second.printed(/Steadfast is ready/);
  const last = await typeSections([sections[0]!, { heading: restarted!.heading, script: lastScript.join('') }], typed);
  const week = last.get(restarted!.heading) ?? '';
  t.regex(week, /"status":"inactive"[^]*reminder[^]*"status":"pending_profile"/);
  t.deepEqual(problemsOf(week), []);
});

// `A=1 B=2 ` as it stands in front of a command.
function parseSettings(text: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parseEnv(text.trim().replaceAll(' ', '\n'))).map(([name, value]) => [name, value ?? '']),
  );
}

function problemsOf(output: string): string[] {
  return [...output.matchAll(/"type":"[^"]*\/docs\/errors#([\w-]+)"/g)].map(([, code = '']) => code);
}
