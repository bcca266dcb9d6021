/** One server-sent event. */
export interface ReceivedEvent {
  readonly id: string;
  /** `message` where the stream names none. */
  readonly event: string;
  readonly data: unknown;
}

/** A stream of server-sent events under way. */
export interface EventStream {
  readonly status: number;
  readonly contentType: string | null;
  /** The next event; null: the stream has ended. */
  next(): Promise<ReceivedEvent | null>;
  /** Every event until the stream ends. */
  rest(): Promise<ReceivedEvent[]>;
  /** How many comments came so far. */
  comments(): number;
  leave(): void;
}

/** Follows a stream of server-sent events as a browser would, line by line. */
export async function openEventStream(url: string, headers: Readonly<Record<string, string>>): Promise<EventStream> {
  const controller = new AbortController();
  const response = await fetch(url, { headers, signal: controller.signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  let comments = 0;

  async function block(): Promise<string | null> {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end >= 0) {
        const found = text.slice(0, end);
        text = text.slice(end + 2);
        return found;
      }
      const read = await reader?.read();
      if (read === undefined || read.done) return null;
      text += read.value;
    }
  }
  async function next(): Promise<ReceivedEvent | null> {
    for (let found = await block(); found !== null; found = await block()) {
      if (!found.startsWith(':')) return eventOf(found);
      comments += 1;
    }
    return null;
  }
  return {
    status: response.status,
    contentType: response.headers.get('Content-Type'),
    next,
    comments: () => comments,
    leave: () => controller.abort(),
    rest: async () => {
      const events: ReceivedEvent[] = [];
      for (let event = await next(); event !== null; event = await next()) events.push(event);
      return events;
    },
  };
}

/** The events in the text of a stream that has ended. */
export function eventsIn(text: string): ReceivedEvent[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '' && !block.startsWith(':'))
    .map(eventOf);
}

function eventOf(block: string): ReceivedEvent {
  const fields = Object.fromEntries(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()]),
  );
  return { id: fields['id'] ?? '', event: fields['event'] ?? 'message', data: JSON.parse(fields['data'] ?? 'null') };
}
