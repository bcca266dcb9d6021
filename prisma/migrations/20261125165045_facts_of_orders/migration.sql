-- Of an order: when it was told to be delivered before its shipment was known. Of a refund: when its goods were told to
-- be back. What may become of a shipment besides its delivery.
ALTER TYPE "ShipmentStatus" ADD VALUE 'lost';
ALTER TYPE "ShipmentStatus" ADD VALUE 'returned';

ALTER TABLE "orders" ADD COLUMN "delivery_told_at" TIMESTAMPTZ(3);

ALTER TABLE "refunds" ADD COLUMN "goods_returned_at" TIMESTAMPTZ(3);

-- What lists are found by also says what became of an order's shipment: the last word is the refusal or the outcome.
ALTER TABLE "process_states" DROP COLUMN "list_key";
ALTER TABLE "process_states" ADD COLUMN "list_key" TEXT GENERATED ALWAYS AS (
  label_of(status) || ' ' || process_type || ' ' || coalesce(current_step, '') || ' ' ||
  CASE WHEN cancelled IS NULL THEN '' ELSE 'cancelled' END || ' ' ||
  CASE WHEN cause->>'class' = 'refused' THEN 'refused'
    WHEN data->'delivered'->>'outcome' IN ('lost', 'returned') THEN data->'delivered'->>'outcome' ELSE '' END) STORED;
CREATE INDEX "process_states_listed_idx" ON "process_states" (tenant_id, list_key, started_at, process_id)
  WHERE list_key IS NOT NULL;
