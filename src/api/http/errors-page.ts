import escapeHtml from 'escape-html';
import { DEAD_LETTER_CAUSES, ERRORS } from './error-catalogue.ts';

/** `docs/errors.md`: every code of the catalogue. */
export function errorsMarkdown(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { status, title, detail, retryable }]) =>
      `| <a id="${code}"></a>\`${code}\` | ${status} | ${title} | ${detail} | ${retryable ? 'yes' : 'no'} |`,
  );
  const causes = Object.entries(DEAD_LETTER_CAUSES).map(([code, detail]) => `| \`${code}\` | ${detail} |`);
  return [
    '# Errors',
    '',
    'Every failure that a caller of the API can get, as `application/problem+json` (RFC 9457) with its `code`.',
    "A workflow's refusal has the same code as its failure type. Written by `npm run openapi`.",
    '',
    '| code | status | title | what it says | does a retry help? |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    '## Causes of dead letters',
    '',
    '| cause | what it says |',
    '| --- | --- |',
    ...causes,
    '',
  ].join('\n');
}

/** The page at `/docs/errors`, to which every problem's `type` leads. */
export function errorsHtml(): string {
  const entries = Object.entries(ERRORS).map(
    ([code, { status, title, detail, retryable }]) => `
    <h2 id="${code}"><code>${code}</code></h2>
    <p>${status}: ${escapeHtml(title)}. ${escapeHtml(detail)}
    ${retryable ? 'A retry may help.' : 'A retry does not help.'}</p>`,
  );
  const causes = Object.entries(DEAD_LETTER_CAUSES).map(
    ([code, detail]) => `<dt><code>${code}</code></dt><dd>${escapeHtml(detail)}</dd>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Steadfast: errors</title>
    <h1>Errors</h1>${entries.join('')}<h1>Causes of dead letters</h1><dl>${causes.join('')}</dl></html>`;
}
