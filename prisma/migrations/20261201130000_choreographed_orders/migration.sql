-- Orders that services carry by messages: what they are asked, and by when they should have answered.
ALTER TABLE "orders" ADD COLUMN "mode" TEXT NOT NULL DEFAULT 'orchestration';
ALTER TABLE "orders" ADD COLUMN "awaited" JSONB;
ALTER TABLE "orders" ADD COLUMN "answer_due_at" TIMESTAMPTZ(3);
ALTER TABLE "orders" ADD COLUMN "cancel_asked" JSONB;

CREATE INDEX "orders_unanswered_idx" ON "orders" (answer_due_at) WHERE answer_due_at IS NOT NULL;
