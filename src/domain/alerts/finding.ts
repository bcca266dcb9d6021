/** `critical`: promises are not being kept now; `warning`: they will not be, or some were not. */
type AlertSeverity = 'warning' | 'critical';

/** One observation of a condition: it held when it was checked. */
export interface Finding {
  readonly tenantId: string;
  /** Observations of a kind with one key are one alert; a source or a task queue, say. */
  readonly key: string;
  readonly severity: AlertSeverity;
  /** One sentence for operators. */
  readonly summary: string;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

/** The value of `openKey` by which an observation finds its open alert. */
export function openKeyOf({ kind, key }: { kind: string; key: string }): string {
  return `${kind}:${key}`;
}
