-- The customer of a deleted user who was its last, until what was ordered for it by services is forgotten too.
ALTER TABLE "users" ADD COLUMN "former_customer_id" TEXT;

-- Orders by services whose addresses are still kept.
CREATE INDEX "orders_addressed_for_customer_idx" ON "orders" (tenant_id, customer_id)
  WHERE placed_by IS NULL AND ship_to IS NOT NULL;
