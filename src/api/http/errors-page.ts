import escapeHtml from 'escape-html';
import type { CodeEntry, Explanation } from '../../domain/shared/codes.ts';
import { ALERTS, DEAD_LETTER_CAUSES, ERRORS, PROCESS_CODES, TEMPORAL_FAILURES } from './error-catalogue.ts';

/** Codes that are read in one place. */
interface Section {
  readonly title: string;
  readonly intro: string;
  /** Before the code, in the id by which the page is linked to. */
  readonly prefix: string;
  readonly codes: Readonly<Record<string, Explanation & Partial<CodeEntry> & { readonly status?: number }>>;
  /** The question that `retryable` answers. */
  readonly retry?: string;
}

const SECTIONS: readonly Section[] = [
  {
    title: 'Problems',
    intro:
      'Every failure that a caller of the API can get, as `application/problem+json` (RFC 9457) with its `code`. ' +
      'An Update that a workflow refuses fails with the same code as its type, and a signal is in `refused` of its ' +
      'state.',
    prefix: '',
    codes: ERRORS,
    retry: 'does a retry help?',
  },
  {
    title: 'Causes in orders, refunds and other processes',
    intro: 'The `code` of a `cause` or `error` of a process, of its steps and of their undos, and of an order refused.',
    prefix: 'process-',
    codes: PROCESS_CODES,
    retry: 'is it tried again by itself?',
  },
  {
    title: 'Causes of dead letters',
    intro: 'The `cause` of what is parked.',
    prefix: 'dead-letter-',
    codes: DEAD_LETTER_CAUSES,
    retry: 'may a replay alone help?',
  },
  {
    title: 'Failures in Temporal',
    intro: 'Types of failures that its Web UI shows of workflows and activities, besides the codes above.',
    prefix: 'failure-',
    codes: TEMPORAL_FAILURES,
    retry: 'is it tried again by itself?',
  },
  {
    title: 'Kinds of alerts',
    intro: 'The `kind` of an alert; the runbook, `docs/operations.md`, has a section on each.',
    prefix: 'alert-',
    codes: ALERTS,
  },
];

/** `docs/errors.md`: every code that anybody can read. */
export function errorsMarkdown(): string {
  return [
    '# Errors',
    '',
    'Every code that anybody can read, what it says and what to do about it. Written by `npm run openapi`.',
    '',
    ...SECTIONS.flatMap(markdownOf),
  ].join('\n');
}

function markdownOf({ title, intro, prefix, codes, retry }: Section): string[] {
  const entries = Object.entries(codes);
  const hasStatus = entries.some(([, { status }]) => status !== undefined);
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const columns = (status: string, repeat: string): string[] => [
    ...(hasStatus ? [status] : []),
    ...(retry === undefined ? [] : [repeat]),
  ];
  const head = ['code', ...columns('status', retry ?? ''), 'title', 'what it says', 'what to do'];
  return [
    `## ${title}`,
    '',
    intro,
    '',
    row(head),
    row(head.map(() => '---')),
    ...entries.map(([code, { status, title: name, detail, remedy, retryable }]) =>
      row([
        `<a id="${prefix}${code}"></a>\`${code}\``,
        ...columns(String(status), retryable === true ? 'yes' : 'no'),
        name,
        detail,
        remedy,
      ]),
    ),
    '',
  ];
}

/** The page at `/docs/errors`, to which every problem's `type` leads. */
export function errorsHtml(): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Steadfast: errors</title>
    <h1>Errors</h1>${SECTIONS.map(htmlOf).join('')}</html>`;
}

function htmlOf({ title, intro, prefix, codes, retry }: Section): string {
  const answerTo = (question: string, isYes: boolean) => `${capitalised(question)} ${isYes ? 'Yes' : 'No'}.`;
  const entries = Object.entries(codes).map(
    ([code, { status, title: name, detail, remedy, retryable }]) => `
    <h3 id="${prefix}${code}"><code>${code}</code></h3>
    <p>${status === undefined ? '' : `${status}: `}${escapeHtml(name)}. ${escapeHtml(detail)}
    ${retry === undefined ? '' : answerTo(retry, retryable === true)}</p>
    <p>${escapeHtml(remedy)}</p>`,
  );
  return `<h2>${escapeHtml(title)}</h2><p>${escapeHtml(intro)}</p>${entries.join('')}`;
}

function capitalised(question: string): string {
  return `${question.charAt(0).toUpperCase()}${question.slice(1)}`;
}
