-- AlterTable
ALTER TABLE "log_cursors" ADD COLUMN     "abandoned_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "users" ADD COLUMN     "purged_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "log_clusters" (
    "system_identifier" TEXT NOT NULL,
    "timeline" INTEGER NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "log_clusters_pkey" PRIMARY KEY ("system_identifier")
);

-- CreateIndex
CREATE INDEX "bus_messages_key_idx" ON "bus_messages"("key");

-- CreateIndex
CREATE INDEX "dead_letters_key_idx" ON "dead_letters"("key");

-- CreateIndex
CREATE INDEX "outgoing_messages_key_idx" ON "outgoing_messages"("key");

-- The few users whose traces a clean-up has still to remove, in the order in which it goes through them.
CREATE INDEX "users_unpurged_idx" ON "users"("tenant_id", "id") WHERE "deleted_at" IS NOT NULL AND "purged_at" IS NULL;

-- What is in the logs up to now was written here.
INSERT INTO "log_clusters" ("system_identifier", "timeline")
SELECT system_identifier::text, timeline_id FROM pg_control_system(), pg_control_checkpoint();

GRANT SELECT, INSERT, UPDATE, DELETE ON "log_clusters" TO steadfast_app;
GRANT SELECT ON "log_clusters" TO steadfast_bus_member; -- its readers stop, too, when the logs are another cluster's
