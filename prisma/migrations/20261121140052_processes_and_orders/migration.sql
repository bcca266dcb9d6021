-- CreateEnum
CREATE TYPE "ReservationStatus" AS ENUM ('reserved', 'released', 'shipped');

-- CreateEnum
CREATE TYPE "PaymentStatus" AS ENUM ('authorised', 'captured', 'voided', 'refunded', 'declined');

-- CreateEnum
CREATE TYPE "ShipmentStatus" AS ENUM ('accepted', 'cancelled', 'delivered');

-- CreateEnum
CREATE TYPE "RefundStatus" AS ENUM ('requested', 'accepted', 'released', 'paid');

-- CreateEnum
CREATE TYPE "ReturnedGoods" AS ENUM ('outstanding', 'restocked', 'unstocked');

-- CreateEnum
CREATE TYPE "ProcessStatus" AS ENUM ('running', 'waiting', 'compensating', 'compensation_failed', 'step_failed', 'completed', 'compensated', 'cancelled', 'abandoned');

-- CreateTable
CREATE TABLE "products" (
    "tenant_id" TEXT NOT NULL,
    "sku" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "price_minor" BIGINT NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "is_active" BOOLEAN NOT NULL DEFAULT true,
    "on_hand" INTEGER NOT NULL DEFAULT 0,
    "reserved" INTEGER NOT NULL DEFAULT 0,
    "shipped" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "products_pkey" PRIMARY KEY ("tenant_id","sku")
);

-- CreateTable
CREATE TABLE "orders" (
    "tenant_id" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "customer_id" TEXT NOT NULL,
    "placed_by" UUID,
    "currency" CHAR(3) NOT NULL,
    "total_minor" BIGINT,
    "payment" JSONB NOT NULL,
    "ship_to" JSONB,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "orders_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "order_items" (
    "tenant_id" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "line" INTEGER NOT NULL,
    "sku" TEXT NOT NULL,
    "quantity" INTEGER NOT NULL,
    "unit_price_minor" BIGINT,

    CONSTRAINT "order_items_pkey" PRIMARY KEY ("tenant_id","order_id","line")
);

-- CreateTable
CREATE TABLE "reservations" (
    "tenant_id" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "status" "ReservationStatus" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "reservations_pkey" PRIMARY KEY ("tenant_id","order_id")
);

-- CreateTable
CREATE TABLE "payments" (
    "tenant_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "customer_id" TEXT NOT NULL,
    "status" "PaymentStatus" NOT NULL,
    "amount_minor" BIGINT NOT NULL,
    "refunded_minor" BIGINT NOT NULL DEFAULT 0,
    "currency" CHAR(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "payments_pkey" PRIMARY KEY ("tenant_id","key")
);

-- CreateTable
CREATE TABLE "ledger_transfers" (
    "tenant_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "debit_account" TEXT NOT NULL,
    "credit_account" TEXT NOT NULL,
    "amount_minor" BIGINT NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ledger_transfers_pkey" PRIMARY KEY ("tenant_id","key")
);

-- CreateTable
CREATE TABLE "credit_accounts" (
    "tenant_id" TEXT NOT NULL,
    "customer_id" TEXT NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "limit_minor" BIGINT NOT NULL,
    "held_minor" BIGINT NOT NULL DEFAULT 0,
    "owed_minor" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "credit_accounts_pkey" PRIMARY KEY ("tenant_id","customer_id","currency")
);

-- CreateTable
CREATE TABLE "shipments" (
    "tenant_id" TEXT NOT NULL,
    "order_id" UUID NOT NULL,
    "shipment_id" UUID NOT NULL,
    "status" "ShipmentStatus" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "delivered_at" TIMESTAMPTZ(3),

    CONSTRAINT "shipments_pkey" PRIMARY KEY ("tenant_id","order_id")
);

-- CreateTable
CREATE TABLE "refunds" (
    "tenant_id" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "order_id" UUID NOT NULL,
    "amount_minor" BIGINT NOT NULL,
    "currency" CHAR(3) NOT NULL,
    "items" JSONB NOT NULL DEFAULT '[]',
    "status" "RefundStatus" NOT NULL DEFAULT 'requested',
    "goods" "ReturnedGoods" NOT NULL DEFAULT 'outstanding',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "refunds_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "process_states" (
    "tenant_id" TEXT NOT NULL,
    "process_id" UUID NOT NULL,
    "process_type" TEXT NOT NULL,
    "workflow_id" TEXT NOT NULL,
    "status" "ProcessStatus" NOT NULL,
    "current_step" TEXT,
    "data" JSONB NOT NULL,
    "history" JSONB NOT NULL,
    "cause" JSONB,
    "cancelled" JSONB,
    "early" JSONB NOT NULL DEFAULT '{}',
    "due_at" TIMESTAMPTZ(3),
    "sequence" INTEGER NOT NULL,
    "revision" INTEGER NOT NULL DEFAULT 0,
    "writer" TEXT,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "last_error" JSONB,
    "retry_at" TIMESTAMPTZ(3),
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "process_states_pkey" PRIMARY KEY ("tenant_id","process_id")
);

-- CreateTable
CREATE TABLE "process_events" (
    "tenant_id" TEXT NOT NULL,
    "process_id" UUID NOT NULL,
    "sequence" INTEGER NOT NULL,
    "type" TEXT NOT NULL,
    "step" TEXT,
    "detail" JSONB NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "process_events_pkey" PRIMARY KEY ("tenant_id","process_id","sequence")
);

-- CreateIndex
CREATE INDEX "orders_tenant_id_created_at_id_idx" ON "orders"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "orders_tenant_id_customer_id_created_at_id_idx" ON "orders"("tenant_id", "customer_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "payments_tenant_id_order_id_idx" ON "payments"("tenant_id", "order_id");

-- CreateIndex
CREATE INDEX "ledger_transfers_tenant_id_debit_account_idx" ON "ledger_transfers"("tenant_id", "debit_account");

-- CreateIndex
CREATE INDEX "ledger_transfers_tenant_id_credit_account_idx" ON "ledger_transfers"("tenant_id", "credit_account");

-- CreateIndex
CREATE UNIQUE INDEX "shipments_tenant_id_shipment_id_key" ON "shipments"("tenant_id", "shipment_id");

-- CreateIndex
CREATE INDEX "refunds_tenant_id_order_id_idx" ON "refunds"("tenant_id", "order_id");

-- CreateIndex
CREATE INDEX "process_states_tenant_id_started_at_process_id_idx" ON "process_states"("tenant_id", "started_at", "process_id");

-- CreateIndex
CREATE INDEX "process_states_status_updated_at_idx" ON "process_states"("status", "updated_at");

-- CreateIndex
CREATE INDEX "users_tenant_id_customer_id_idx" ON "users"("tenant_id", "customer_id");

-- AddForeignKey
ALTER TABLE "order_items" ADD CONSTRAINT "order_items_tenant_id_order_id_fkey" FOREIGN KEY ("tenant_id", "order_id") REFERENCES "orders"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "process_events" ADD CONSTRAINT "process_events_tenant_id_process_id_fkey" FOREIGN KEY ("tenant_id", "process_id") REFERENCES "process_states"("tenant_id", "process_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What no code may break, whatever it forgets to look at.
ALTER TABLE "products"
  ADD CONSTRAINT products_price_check CHECK (price_minor >= 0),
  ADD CONSTRAINT products_reserved_check CHECK (reserved BETWEEN 0 AND on_hand),
  ADD CONSTRAINT products_shipped_check CHECK (shipped >= 0);
ALTER TABLE "order_items" ADD CONSTRAINT order_items_quantity_check CHECK (quantity > 0);
ALTER TABLE "payments" ADD CONSTRAINT payments_refunded_check CHECK (refunded_minor BETWEEN 0 AND amount_minor);
ALTER TABLE "ledger_transfers"
  ADD CONSTRAINT ledger_transfers_amount_check CHECK (amount_minor > 0),
  ADD CONSTRAINT ledger_transfers_accounts_check CHECK (debit_account <> credit_account);
ALTER TABLE "credit_accounts"
  ADD CONSTRAINT credit_accounts_held_check CHECK (held_minor >= 0 AND owed_minor >= 0);
ALTER TABLE "refunds" ADD CONSTRAINT refunds_amount_check CHECK (amount_minor > 0);

-- Written once for every step of every process: room for the next version beside the last.
ALTER TABLE "process_states" SET (fillfactor = 70);
ALTER TABLE "products" SET (fillfactor = 70);

DO $$
DECLARE
  tenant_table text;
BEGIN
  FOREACH tenant_table IN ARRAY ARRAY[
    'process_states', 'process_events', 'products', 'orders', 'order_items', 'reservations', 'payments', 'ledger_transfers',
    'credit_accounts', 'shipments', 'refunds'
  ] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format($policy$
      CREATE POLICY tenant_isolation ON %I
        USING (current_setting('steadfast.tenant', true) IN (tenant_id, '*'))
        WITH CHECK (current_setting('steadfast.tenant', true) IN (tenant_id, '*'))$policy$, tenant_table);
  END LOOP;
END $$;
