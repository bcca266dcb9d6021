import type { ProcessData } from './definition.ts';

/** One process in a list for which a step is to be done or undone. */
export interface StepWork {
  readonly tenantId: string;
  readonly processId: string;
  readonly data: ProcessData;
  /** Attempts that failed before this one, and may have taken effect. */
  readonly attempts: number;
}

/** The result for one process of the list. `isDone: false` is a refusal: the answer is no, and nothing took effect. */
export type StepResult<Code extends string = string> =
  | { readonly isDone: true; readonly result?: ProcessData }
  | { readonly isDone: false; readonly code: Code; readonly message: string };

/** A failure of a step that its definition may class by its code; the message must not hold personal data. */
export class StepFailure<Code extends string = string> extends Error {
  override name = 'StepFailure';
  readonly code: Code;
  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
