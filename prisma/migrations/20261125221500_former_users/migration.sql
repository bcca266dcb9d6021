-- CreateTable
CREATE TABLE "former_users" (
    "tenant_id" TEXT NOT NULL,
    "subject_hash" TEXT NOT NULL,
    "profile_deadline" TIMESTAMPTZ(3),
    "deletions" INTEGER NOT NULL DEFAULT 1,
    "counted_since" TIMESTAMPTZ(3) NOT NULL,
    "deleted_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "former_users_pkey" PRIMARY KEY ("tenant_id","subject_hash")
);

-- What the clean-up deletes, by its age.
CREATE INDEX "former_users_over_idx" ON "former_users" (greatest(deleted_at, profile_deadline));

ALTER TABLE "former_users" ENABLE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON "former_users" TO steadfast_tenant USING (tenant_id = current_setting('steadfast.tenant', true));
CREATE POLICY every_tenant ON "former_users" TO steadfast_system USING (true);
GRANT SELECT, INSERT, UPDATE ON "former_users" TO steadfast_tenant;
GRANT SELECT, DELETE ON "former_users" TO steadfast_system;
