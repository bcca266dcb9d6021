import escapeHtml from 'escape-html';

/** A message as its recipient reads it. */
export interface Message {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** The parts of a message, before it is rendered as text and as HTML. */
export interface MessageTemplate {
  readonly locale: string;
  readonly subject: string;
  readonly greeting: string;
  readonly paragraphs: readonly string[];
  readonly link?: { readonly label: string; readonly url: string };
  readonly closing: string;
}

/** Renders the parts as plain text and as HTML with the same content. */
export function renderMessage(wording: MessageTemplate): Message {
  const { locale, greeting, link, closing } = wording;
  const paragraphs = wording.paragraphs.map(onOneLine);
  const subject = onOneLine(wording.subject);
  const action = link === undefined ? [] : [`${link.label}${link.url}`];
  const button =
    link === undefined
      ? []
      : [`<p>${escapeHtml(link.label)}<a href="${escapeHtml(link.url)}">${escapeHtml(link.url)}</a></p>`];
  return {
    subject,
    text: `${[onOneLine(greeting), ...paragraphs, ...action, closing].join('\n\n')}\n`,
    html: [
      `<!doctype html>\n<html lang="${locale}">\n<head><meta ` +
        `charset="utf-8"><title>${escapeHtml(subject)}</title></head>`,
      '<body style="font-family: sans-serif; line-height: 1.5; max-width: 36em">',
      `<p>${escapeHtml(onOneLine(greeting))}</p>`,
      ...paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`),
      ...button,
      `<p>${escapeHtml(closing).replaceAll('\n', '<br>')}</p>`,
      '</body>\n</html>\n',
    ].join('\n'),
  };
}

/**
 * The text on one line: a line break in a header, or in a name, would let its author write headers or sentences of
 * ours.
 */
function onOneLine(text: string): string {
  return text.replace(/[\s\u0000-\u001f\u007f\u0085\u2028\u2029]+/g, ' ').trim();
}
