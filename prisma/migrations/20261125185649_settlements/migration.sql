-- CreateTable
CREATE TABLE "settlements" (
    "tenant_id" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "settled_id" UUID NOT NULL,
    "order_id" UUID NOT NULL,
    "payment" TEXT,
    "amount_minor" BIGINT,
    "pieces" TEXT,
    "items" JSONB NOT NULL DEFAULT '[]',
    "shipment" TEXT,
    "payment_at" TIMESTAMPTZ(3),
    "pieces_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "settlements_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateIndex
CREATE INDEX "settlements_tenant_id_order_id_idx" ON "settlements"("tenant_id", "order_id");

ALTER TABLE "settlements"
  ADD CONSTRAINT settlements_moves_check CHECK (
    payment IN ('refund', 'write_off') AND pieces IN ('release', 'write_off') AND shipment IN ('call_back', 'write_off')),
  ADD CONSTRAINT settlements_amount_check CHECK ((payment IS NULL) = (amount_minor IS NULL) AND amount_minor > 0);

ALTER TABLE "settlements" ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON "settlements" TO steadfast_app;
CREATE POLICY tenant_isolation ON "settlements" TO steadfast_app
  USING (current_setting('steadfast.tenant', true) IN (tenant_id, '*'))
  WITH CHECK (current_setting('steadfast.tenant', true) IN (tenant_id, '*'));
