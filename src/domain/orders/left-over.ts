import { assertNever } from '../shared/assert-never.ts';
import { providerIn, type ProcessData, type Provider } from '../process/definition.ts';
import type { LeftOver, LeftPieces } from '../process/left-over.ts';
import { executionOf, type ProcessState } from '../process/state.ts';
import { isClosed } from '../process/statuses.ts';
import { CHECKS_LEFT_OVER } from './settlement-process.ts';
import { LEDGER, WAREHOUSE, type DeliveryOutcome } from './order-process.ts';

/** What the rows say of an order. Sums are in minor units. */
export interface OrderBooks {
  readonly state: Pick<ProcessState, 'status' | 'history' | 'data'>;
  /** What became of its shipment; null: it was delivered, or nothing did. */
  readonly outcome: DeliveryOutcome | null;
  /** Null: it was never validated. */
  readonly totalMinor: number | null;
  readonly currency: string;
  /** As the ledger has it; null: it has none, as that of a remote provider. */
  readonly payment: { readonly status: string; readonly amountMinor: number; readonly refundedMinor: number } | null;
  /** Of refunds that were accepted and not paid, and of those that were. */
  readonly acceptedMinor: number;
  readonly paidMinor: number;
  /** Of settlements of this order. */
  readonly settledMinor: number;
  readonly reservation: 'reserved' | 'released' | 'shipped' | null;
  readonly pieces: readonly LeftPieces[];
  /** Pieces of it that refunds have restocked or wait for, and that were settled. */
  readonly accountedFor: readonly LeftPieces[];
  readonly shipment: { readonly shipmentId: string; readonly status: string } | null;
}

/** What the rows say of a refund. */
export interface RefundBooks {
  readonly state: Pick<ProcessState, 'status' | 'data'>;
  readonly status: 'requested' | 'accepted' | 'released' | 'paid';
  readonly goods: 'outstanding' | 'restocked' | 'unstocked';
  readonly amountMinor: number;
  readonly currency: string;
  readonly items: readonly LeftPieces[];
  /** Whether it was decided where its goods are. */
  readonly areGoodsSettled: boolean;
}

/**
 * What an order that is over has left: of one that was delivered only what no shipment holds, of one that was lost or
 * came back the money, and the pieces that came back.
 */
export function leftOverOfOrder(books: OrderBooks): LeftOver {
  const { state, outcome } = books;
  if (!isClosed(state.status)) return {};
  const isDelivered = state.status === 'completed' && outcome === null;
  const payment = isDelivered ? undefined : leftPayment(books);
  const pieces = leftPieces(books);
  const shipment = state.status === 'completed' ? undefined : leftShipment(books);
  return {
    ...(payment === undefined ? {} : { payment }),
    ...(pieces.length === 0 ? {} : { pieces }),
    ...(shipment === undefined ? {} : { shipment }),
  };
}

/**
 * What a refund that is over has left: the sum that it promised and did not pay, or goods that are in the stock though
 * it was given up.
 */
export function leftOverOfRefund(refund: RefundBooks): LeftOver {
  const { state, status, goods, amountMinor, currency, items } = refund;
  if (!isClosed(state.status)) return {};
  const provider = paidBy(state.data).name;
  const areGoodsLeft = goods === 'restocked' && status === 'released' && items.length > 0 && !refund.areGoodsSettled;
  return {
    ...(status === 'accepted' ? { payment: { amountMinor, currency, provider, status } } : {}),
    ...(areGoodsLeft ? { pieces: items } : {}),
  };
}

function leftPayment(books: OrderBooks): LeftOver['payment'] {
  const { state, payment, currency, totalMinor, acceptedMinor, paidMinor, settledMinor } = books;
  const { name: provider, isRemote } = paidBy(state.data);
  const left = (amountMinor: number, status: 'authorised' | 'captured' | 'unknown'): LeftOver['payment'] =>
    amountMinor > 0 ? { amountMinor, currency, provider, status } : undefined;
  if (!isRemote) {
    if (payment?.status === 'authorised') return left(payment.amountMinor, 'authorised');
    const takenMinor = payment?.status === 'captured' ? payment.amountMinor - payment.refundedMinor : 0;
    return left(takenMinor - acceptedMinor, 'captured');
  }
  if (!mayHaveHappened(state, 'process_payment')) return undefined;
  const isKnown = (executionOf(state, 'process_payment')?.result ?? null) !== null;
  return left((totalMinor ?? 0) - acceptedMinor - paidMinor - settledMinor, isKnown ? 'captured' : 'unknown');
}

function leftPieces({ outcome, reservation, pieces, accountedFor }: OrderBooks): readonly LeftPieces[] {
  if (reservation === 'reserved') return pieces;
  return reservation === 'shipped' && outcome === 'returned' ? subtract(pieces, accountedFor) : [];
}

function leftShipment({ state, shipment }: OrderBooks): LeftOver['shipment'] {
  if (shipment !== null)
    return shipment.status === 'accepted' ? { shipmentId: shipment.shipmentId, status: 'accepted' } : undefined;
  // A warehouse whose shipments are rows has none.
  const isRemote = (providerIn(state.data, 'shipping') ?? WAREHOUSE).isRemote;
  return isRemote && mayHaveHappened(state, 'create_shipment') ? { shipmentId: null, status: 'unknown' } : undefined;
}

/** Whether a settlement has settled something, or may have. */
export function hasSettled(settlement: Pick<ProcessState, 'history'>): boolean {
  return settlement.history.some(({ step }) => step !== CHECKS_LEFT_OVER && mayHaveHappened(settlement, step));
}

/** Whether a step may have had an effect that nobody has undone. */
function mayHaveHappened(state: Pick<ProcessState, 'history'>, step: string): boolean {
  const execution = executionOf(state, step);
  if (execution === undefined) return false;
  const { status, error, attempts, decided, compensation } = execution;
  switch (status) {
    case 'pending':
    case 'compensated':
      return false;
    case 'running':
    case 'completed':
    case 'compensating':
    case 'compensation_failed':
      return true;
    case 'failed':
      return error?.class !== 'refused' || attempts > 1 || decided !== null;
    case 'skipped':
      return compensation !== null;
    default:
      return assertNever(status);
  }
}

function subtract(pieces: readonly LeftPieces[], taken: readonly LeftPieces[]): readonly LeftPieces[] {
  const takenOf = (wanted: string): number =>
    taken.filter(({ sku }) => sku === wanted).reduce((sum, { quantity }) => sum + quantity, 0);
  return pieces
    .map(({ sku, quantity }) => ({ sku, quantity: quantity - takenOf(sku) }))
    .filter(({ quantity }) => quantity > 0);
}

function paidBy(data: ProcessData): Provider {
  return providerIn(data, 'payment') ?? LEDGER;
}
