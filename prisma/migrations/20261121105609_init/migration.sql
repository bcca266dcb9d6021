-- CreateEnum
CREATE TYPE "PendingStartKind" AS ENUM ('start', 'signal_with_start', 'signal');

-- CreateEnum
CREATE TYPE "DeadLetterStatus" AS ENUM ('parked', 'replayed', 'discarded');

-- CreateEnum
CREATE TYPE "AlertStatus" AS ENUM ('open', 'acknowledged', 'resolved');

-- CreateEnum
CREATE TYPE "UserStatus" AS ENUM ('active', 'pending_profile', 'suspended', 'inactive');

-- CreateEnum
CREATE TYPE "ProfileCompletionStatus" AS ENUM ('not_started', 'in_progress', 'completed', 'expired');

-- CreateEnum
CREATE TYPE "CustomerKind" AS ENUM ('company', 'financial_institution');

-- CreateEnum
CREATE TYPE "NotificationStatus" AS ENUM ('pending', 'sent', 'kept', 'failed');

-- CreateEnum
CREATE TYPE "SyncStatus" AS ENUM ('pending', 'in_progress', 'synced', 'failed', 'retry');

-- CreateTable
CREATE TABLE "pending_starts" (
    "tenant_id" TEXT NOT NULL,
    "position" BIGSERIAL NOT NULL,
    "kind" "PendingStartKind" NOT NULL,
    "workflow_type" TEXT NOT NULL,
    "workflow_id" TEXT NOT NULL,
    "signal_name" TEXT,
    "signal_arg" JSONB,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_attempt_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_error" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "input" JSONB,

    CONSTRAINT "pending_starts_pkey" PRIMARY KEY ("tenant_id","position")
);

-- CreateTable
CREATE TABLE "outgoing_messages" (
    "tenant_id" TEXT NOT NULL,
    "position" BIGSERIAL NOT NULL,
    "xid" xid8 NOT NULL DEFAULT pg_current_xact_id(),
    "message_id" TEXT NOT NULL,
    "topic" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "partition" INTEGER NOT NULL,
    "payload" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "outgoing_messages_pkey" PRIMARY KEY ("tenant_id","position")
);

-- CreateTable
CREATE TABLE "bus_messages" (
    "tenant_id" TEXT NOT NULL,
    "position" BIGSERIAL NOT NULL,
    "xid" xid8 NOT NULL DEFAULT pg_current_xact_id(),
    "message_id" TEXT NOT NULL,
    "topic" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "partition" INTEGER NOT NULL,
    "payload" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "bus_messages_pkey" PRIMARY KEY ("tenant_id","position")
);

-- CreateTable
CREATE TABLE "log_cursors" (
    "reader" TEXT NOT NULL,
    "partition" INTEGER NOT NULL,
    "epoch" INTEGER NOT NULL DEFAULT 1,
    "xid" xid8 NOT NULL DEFAULT '0'::xid8,
    "position" BIGINT NOT NULL DEFAULT 0,
    "lease_owner" TEXT,
    "lease_until" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "log_cursors_pkey" PRIMARY KEY ("reader","partition")
);

-- CreateTable
CREATE TABLE "inbox_messages" (
    "tenant_id" TEXT NOT NULL,
    "consumer" TEXT NOT NULL,
    "message_id" TEXT NOT NULL,
    "processed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "inbox_messages_pkey" PRIMARY KEY ("tenant_id","consumer","message_id")
);

-- CreateTable
CREATE TABLE "dead_letters" (
    "tenant_id" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "source" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "cause" TEXT NOT NULL,
    "detail" TEXT NOT NULL,
    "message_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "payload" TEXT NOT NULL,
    "status" "DeadLetterStatus" NOT NULL DEFAULT 'parked',
    "replays" INTEGER NOT NULL DEFAULT 0,
    "parked_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "resolved_at" TIMESTAMPTZ(3),
    "resolved_by" TEXT,
    "reason" TEXT,

    CONSTRAINT "dead_letters_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "alerts" (
    "tenant_id" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "severity" TEXT NOT NULL,
    "open_key" TEXT,
    "status" "AlertStatus" NOT NULL DEFAULT 'open',
    "summary" TEXT NOT NULL,
    "details" JSONB NOT NULL,
    "count" INTEGER NOT NULL DEFAULT 1,
    "first_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "acknowledged_at" TIMESTAMPTZ(3),
    "acknowledged_by" TEXT,
    "resolved_at" TIMESTAMPTZ(3),
    "resolved_by" TEXT,
    "undelivered" TEXT[],
    "delivery_attempts" INTEGER NOT NULL DEFAULT 0,
    "next_delivery_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "delivery_error" TEXT,

    CONSTRAINT "alerts_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "leases" (
    "name" TEXT NOT NULL,
    "owner" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "leases_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "tenant_id" TEXT NOT NULL,
    "scope" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "status" INTEGER,
    "body" TEXT,
    "locked_until" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("tenant_id","scope","key")
);

-- CreateTable
CREATE TABLE "users" (
    "tenant_id" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "auth_subject" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "name" TEXT,
    "locale" TEXT NOT NULL DEFAULT 'fr',
    "phone" TEXT,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),
    "status" "UserStatus" NOT NULL DEFAULT 'pending_profile',
    "profile_completion_status" "ProfileCompletionStatus" NOT NULL DEFAULT 'not_started',
    "profile_completion_deadline" TIMESTAMPTZ(3),
    "profile_completed_at" TIMESTAMPTZ(3),
    "profile_completion_reminders" INTEGER NOT NULL DEFAULT 0,
    "reminders_settled_until" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "completion_before_expiry" "ProfileCompletionStatus",
    "customer_kind" "CustomerKind",
    "customer_id" TEXT,
    "company_id" TEXT,
    "financial_institution_id" TEXT,
    "profile_revision" INTEGER NOT NULL DEFAULT 0,
    "sync_status" "SyncStatus" NOT NULL DEFAULT 'pending',
    "last_sync_attempt" TIMESTAMPTZ(3),
    "sync_retry_count" INTEGER NOT NULL DEFAULT 0,
    "last_sync_error" TEXT,
    "default_services" BOOLEAN NOT NULL DEFAULT true,
    "synced_version" INTEGER NOT NULL DEFAULT 0,
    "sync_revision" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "users_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "notifications" (
    "tenant_id" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "mark" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "deadline" TIMESTAMPTZ(3) NOT NULL,
    "channel" TEXT NOT NULL DEFAULT 'email',
    "recipient" TEXT NOT NULL,
    "to_user" BOOLEAN NOT NULL,
    "locale" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "html" TEXT NOT NULL,
    "status" "NotificationStatus" NOT NULL DEFAULT 'pending',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "last_error" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "sent_at" TIMESTAMPTZ(3),

    CONSTRAINT "notifications_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateTable
CREATE TABLE "user_sync_services" (
    "tenant_id" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "service" TEXT NOT NULL,
    "confirmed_version" INTEGER NOT NULL DEFAULT 0,
    "failed_version" INTEGER NOT NULL DEFAULT 0,
    "last_error" TEXT,
    "last_successful_sync" TIMESTAMPTZ(3),

    CONSTRAINT "user_sync_services_pkey" PRIMARY KEY ("tenant_id","user_id","service")
);

-- CreateIndex
CREATE INDEX "pending_starts_workflow_id_position_idx" ON "pending_starts"("workflow_id", "position");

-- CreateIndex
CREATE INDEX "pending_starts_next_attempt_at_idx" ON "pending_starts"("next_attempt_at");

-- CreateIndex
CREATE INDEX "outgoing_messages_partition_xid_position_idx" ON "outgoing_messages"("partition", "xid", "position");

-- CreateIndex
CREATE UNIQUE INDEX "outgoing_messages_tenant_id_message_id_key" ON "outgoing_messages"("tenant_id", "message_id");

-- CreateIndex
CREATE INDEX "bus_messages_partition_xid_position_idx" ON "bus_messages"("partition", "xid", "position");

-- CreateIndex
CREATE INDEX "inbox_messages_processed_at_idx" ON "inbox_messages"("processed_at");

-- CreateIndex
CREATE INDEX "dead_letters_tenant_id_status_parked_at_id_idx" ON "dead_letters"("tenant_id", "status", "parked_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "dead_letters_tenant_id_source_message_id_key" ON "dead_letters"("tenant_id", "source", "message_id");

-- CreateIndex
CREATE INDEX "alerts_tenant_id_status_last_seen_at_id_idx" ON "alerts"("tenant_id", "status", "last_seen_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "alerts_tenant_id_open_key_key" ON "alerts"("tenant_id", "open_key");

-- CreateIndex
CREATE INDEX "idempotency_keys_created_at_idx" ON "idempotency_keys"("created_at");

-- CreateIndex
CREATE INDEX "users_tenant_id_created_at_id_idx" ON "users"("tenant_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "users_tenant_id_email_idx" ON "users"("tenant_id", "email" text_pattern_ops);

-- CreateIndex
CREATE INDEX "users_status_profile_completion_deadline_idx" ON "users"("status", "profile_completion_deadline");

-- CreateIndex
CREATE INDEX "users_sync_status_last_sync_attempt_idx" ON "users"("sync_status", "last_sync_attempt");

-- CreateIndex
CREATE UNIQUE INDEX "users_tenant_id_auth_subject_key" ON "users"("tenant_id", "auth_subject");

-- CreateIndex
CREATE INDEX "notifications_status_created_at_idx" ON "notifications"("status", "created_at");

-- CreateIndex
CREATE UNIQUE INDEX "notifications_tenant_id_user_id_kind_mark_deadline_channel__key" ON "notifications"("tenant_id", "user_id", "kind", "mark", "deadline", "channel", "recipient");

-- AddForeignKey
ALTER TABLE "user_sync_services" ADD CONSTRAINT "user_sync_services_tenant_id_user_id_fkey" FOREIGN KEY ("tenant_id", "user_id") REFERENCES "users"("tenant_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- The application's role: it owns nothing and row-level security binds it.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'steadfast_app') THEN
    CREATE ROLE steadfast_app NOLOGIN NOSUPERUSER NOBYPASSRLS;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; -- another database of this cluster was migrated at the same moment
END $$;

DO $$
BEGIN
  EXECUTE format('GRANT steadfast_app TO %I', current_user);
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO steadfast_app', current_schema());
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO steadfast_app', current_schema());
  EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO steadfast_app', current_schema());
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO steadfast_app', current_schema());
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT USAGE ON SEQUENCES TO steadfast_app', current_schema());
  IF to_regclass('_prisma_migrations') IS NOT NULL THEN
    REVOKE ALL ON _prisma_migrations FROM steadfast_app;
  END IF;
END $$;

-- A transaction sees the rows of the tenant that it named, and none without a name. '*' is for relays, audits and checks.
DO $$
DECLARE
  tenant_table text;
BEGIN
  FOREACH tenant_table IN ARRAY ARRAY[
    'users', 'user_sync_services', 'notifications', 'pending_starts', 'outgoing_messages', 'bus_messages',
    'inbox_messages', 'dead_letters', 'alerts', 'idempotency_keys'
  ] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format($policy$
      CREATE POLICY tenant_isolation ON %I
        USING (current_setting('steadfast.tenant', true) IN (tenant_id, '*'))
        WITH CHECK (current_setting('steadfast.tenant', true) IN (tenant_id, '*'))$policy$, tenant_table);
  END LOOP;
END $$;
