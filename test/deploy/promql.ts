import { parser } from '@prometheus-io/lezer-promql';
import type { SyntaxNode } from '@lezer/common';

/** A metric that a query selects, and the labels that it is matched by. */
export interface Selection {
  readonly metric: string;
  readonly labels: readonly string[];
}

/** What a PromQL expression asks for. */
export interface Query {
  readonly selections: readonly Selection[];
  /** Labels of `by` and `on`. */
  readonly groupings: readonly string[];
}

/**
 * Reads a PromQL expression; one that Prometheus' own grammar does not know throws. Grafana's rate interval is a
 * duration.
 */
export function readQuery(expression: string): Query {
  const text = expression.replaceAll('$__rate_interval', '5m');
  const selections: Selection[] = [];
  const groupings: string[] = [];
  const textOf = ({ from, to }: SyntaxNode): string => text.slice(from, to);
  parser.parse(text).iterate({
    enter: ({ node, type }) => {
      if (type.isError) throw new Error(`not PromQL at ${node.from}: ${expression}`);
      if (type.name === 'VectorSelector') {
        const metric = node.getChild('Identifier');
        if (metric === null) throw new Error(`a selector names no metric: ${expression}`);
        const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
        selections.push({
          metric: textOf(metric),
          labels: matchers.flatMap((matcher) => matcher.getChildren('LabelName').map(textOf)),
        });
      }
      if (type.name === 'GroupingLabels') groupings.push(...node.getChildren('LabelName').map(textOf));
    },
  });
  return { selections, groupings };
}

/** The metrics of a scrape and their labels; a histogram appears as its three series. */
export function readScrape(text: string): Map<string, Set<string>> {
  const metrics = new Map<string, Set<string>>();
  for (const [, metric = '', labels = ''] of text.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/gm)) {
    const known = metrics.get(metric) ?? new Set();
    for (const [, label = ''] of labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)) known.add(label);
    metrics.set(metric, known);
  }
  return metrics;
}
