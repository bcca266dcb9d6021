-- That an alert is over is told where it was told.
ALTER TABLE "alerts" ADD COLUMN     "condition" TEXT,
ADD COLUMN     "end_told_at" TIMESTAMPTZ(3),
ADD COLUMN     "is_flapping" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "told" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "told_as" UUID;

-- What is to be told, and the alert that was the last about a condition.
DROP INDEX "alerts_undelivered_idx";
CREATE INDEX "alerts_to_tell_idx" ON "alerts" (next_delivery_at)
  WHERE undelivered <> '{}' OR (status = 'resolved' AND told <> '{}');
CREATE INDEX "alerts_condition_idx" ON "alerts" (tenant_id, condition, resolved_at) WHERE condition IS NOT NULL;
