import type { ProcessDefinition, Provider } from '../process/definition.ts';
import type { SettlementMoves } from '../process/left-over.ts';
import type { OperatorDecision } from '../process/state.ts';
import type { ProviderFailures } from './port-codes.ts';

/** The data of a settlement's process; sums and pieces are in its row. */
export type SettlementData = {
  /** The process that is settled. */
  readonly settled: { readonly type: string; readonly id: string };
  readonly moves: SettlementMoves;
  readonly decided: OperatorDecision;
  /** Who took the payment of the order, and who ships it. */
  readonly payment?: Provider;
  readonly shipping?: Provider;
};

/** The step that looks, and settles nothing. */
export const CHECKS_LEFT_OVER = 'check_left_over';

/** The steps of each part that is settled, in their order. */
const STEPS: readonly (readonly [step: string, isTaken: (moves: SettlementMoves) => boolean])[] = [
  ['call_back_shipment', ({ shipment }) => shipment === 'call_back'],
  ['write_off_shipment', ({ shipment }) => shipment === 'write_off'],
  ['settle_pieces', ({ pieces }) => pieces !== undefined],
  ['write_off_payment', ({ payment }) => payment === 'write_off'],
  ['refund_payment', ({ payment }) => payment === 'refund'],
];

/**
 * The process that settles what another one has left over. It undoes nothing: a step that is refused leaves what it is
 * about left over, to be settled otherwise.
 */
export const settlementProcess: ProcessDefinition<SettlementData> = {
  type: 'settlement',
  sharesTransaction: true,
  summary: 'Settlement of what an order or a refund has left over',
  steps: {
    [CHECKS_LEFT_OVER]: { execute: 'checkLeftOver' },
    call_back_shipment: {
      execute: 'callBackShipment',
      providedBy: 'shipping',
      failures: { warehouse_timed_out: 'unknown' } satisfies ProviderFailures,
    },
    write_off_shipment: { execute: 'writeOffShipment' },
    settle_pieces: { execute: 'settlePieces' },
    write_off_payment: { execute: 'writeOffPayment' },
    refund_payment: {
      execute: 'refundPayment',
      skip: 'refundedByHand',
      providedBy: 'payment',
      isPivot: true,
      failures: { payment_timed_out: 'unknown' } satisfies ProviderFailures,
    },
  },
  next: (completed, { moves }) => {
    const behind = STEPS.slice(STEPS.findIndex(([step]) => step === completed) + 1);
    return behind.find(([, isTaken]) => isTaken(moves))?.[0] ?? null;
  },
};
