-- Orders of a user whose address is still there: a deletion forgets it.
CREATE INDEX "orders_addressed_idx" ON "orders"("tenant_id", "placed_by") WHERE "placed_by" IS NOT NULL AND "ship_to" IS NOT NULL;
