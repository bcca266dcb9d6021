/** Pieces of one product. */
export interface LeftPieces {
  readonly sku: string;
  readonly quantity: number;
}

/** What a process that is over has left behind in the books; what is absent is in order. */
export interface LeftOver {
  /** Money that was taken and not paid back, or is set aside. */
  readonly payment?: {
    readonly amountMinor: number;
    /** ISO 4217. */
    readonly currency: string;
    /** Who has it. */
    readonly provider: string;
    /**
     * `authorised`: set aside. `captured`: taken. `unknown`: it may have been taken.
     * `accepted`: promised to the customer by a refund that was not paid.
     */
    readonly status: 'authorised' | 'captured' | 'unknown' | 'accepted';
  };
  /** Pieces that are held, or in the wrong place; each sku once. */
  readonly pieces?: readonly LeftPieces[];
  /** A shipment that may be under way. */
  readonly shipment?: {
    /** Null: nobody has told us. */
    readonly shipmentId: string | null;
    readonly status: 'accepted' | 'unknown';
  };
}

/** What an operator does about each part. */
export interface SettlementMoves {
  readonly payment?: 'refund' | 'write_off' | undefined;
  readonly pieces?: 'release' | 'write_off' | undefined;
  readonly shipment?: 'call_back' | 'write_off' | undefined;
}

/**
 * The moves with what follows from them: pieces that are released are called back first, and pieces that are written
 * off leave with their shipment. Null: a move is asked for of which nothing is left, or none at all.
 */
export function fullMoves(asked: SettlementMoves, left: LeftOver): SettlementMoves | null {
  const follows = asked.pieces === 'release' ? 'call_back' : asked.pieces;
  const shipment = asked.shipment ?? (left.shipment === undefined ? undefined : follows);
  const parts = ['payment', 'pieces', 'shipment'] as const;
  const moves = { ...asked, shipment };
  const isAsked = parts.some((part) => moves[part] !== undefined);
  return isAsked && parts.every((part) => moves[part] === undefined || left[part] !== undefined) ? moves : null;
}
