-- When the copies of a deleted user were known to be gone. Nobody was asked to confirm deletions before.
ALTER TABLE "users" ADD COLUMN "sync_ended_at" TIMESTAMPTZ(3), ADD COLUMN "sync_ended_by" TEXT;
UPDATE "users" SET "sync_ended_at" = "deleted_at" WHERE "deleted_at" IS NOT NULL;

-- Deletions that are not confirmed yet, which are few.
CREATE INDEX "users_unconfirmed_deletions_idx" ON "users" (tenant_id, deleted_at, id)
  WHERE deleted_at IS NOT NULL AND sync_ended_at IS NULL;
