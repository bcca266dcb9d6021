-- CreateTable
CREATE TABLE "routing_slips" (
    "tenant_id" TEXT NOT NULL,
    "process_id" UUID NOT NULL,
    "service" TEXT,
    "variables" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "routing_slips_pkey" PRIMARY KEY ("tenant_id","process_id")
);

-- CreateTable
CREATE TABLE "routing_slip_legs" (
    "tenant_id" TEXT NOT NULL,
    "process_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "activity" TEXT NOT NULL,
    "arguments" JSONB NOT NULL,
    "taken" JSONB,
    "kept" JSONB,
    "done_at" TIMESTAMPTZ(3),

    CONSTRAINT "routing_slip_legs_pkey" PRIMARY KEY ("tenant_id","process_id","number")
);

-- CreateTable
CREATE TABLE "routing_slip_users" (
    "tenant_id" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "process_id" UUID NOT NULL,

    CONSTRAINT "routing_slip_users_pkey" PRIMARY KEY ("tenant_id","user_id","process_id")
);

-- CreateIndex
CREATE INDEX "routing_slips_created_at_idx" ON "routing_slips"("created_at");

-- CreateIndex
CREATE INDEX "routing_slip_users_tenant_id_process_id_idx" ON "routing_slip_users"("tenant_id", "process_id");

-- AddForeignKey
ALTER TABLE "routing_slip_legs" ADD CONSTRAINT "routing_slip_legs_tenant_id_process_id_fkey" FOREIGN KEY ("tenant_id", "process_id") REFERENCES "routing_slips"("tenant_id", "process_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "routing_slip_users" ADD CONSTRAINT "routing_slip_users_tenant_id_process_id_fkey" FOREIGN KEY ("tenant_id", "process_id") REFERENCES "routing_slips"("tenant_id", "process_id") ON DELETE CASCADE ON UPDATE CASCADE;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['routing_slips', 'routing_slip_legs', 'routing_slip_users'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO steadfast_app, steadfast_tenant', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO steadfast_system', name);
    EXECUTE format($policy$CREATE POLICY one_tenant ON %I TO steadfast_tenant
      USING (tenant_id = current_setting('steadfast.tenant', true))
      WITH CHECK (tenant_id = current_setting('steadfast.tenant', true))$policy$, name);
    EXECUTE format('CREATE POLICY every_tenant ON %I TO steadfast_system USING (true) WITH CHECK (true)', name);
    EXECUTE format($policy$CREATE POLICY tenant_isolation ON %I TO steadfast_app
      USING (current_setting('steadfast.tenant', true) IN (tenant_id, '*'))
      WITH CHECK (current_setting('steadfast.tenant', true) IN (tenant_id, '*'))$policy$, name);
  END LOOP;
END $$;

-- Whoever deletes a user, a process of the version before too, promises that what slips were asked for about it goes.
CREATE FUNCTION promise_erasure_of_slips() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO pending_erasures (tenant_id, process_id)
    SELECT tenant_id, process_id FROM routing_slip_users WHERE tenant_id = NEW.tenant_id AND user_id = NEW.id
    ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER promise_erasure_of_slips AFTER UPDATE OF deleted_at ON "users" FOR EACH ROW
  WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION promise_erasure_of_slips();

-- What is parked of an order, which is the key of its messages.
CREATE INDEX "dead_letters_tenant_id_key_parked_at_idx" ON "dead_letters"("tenant_id", "key", "parked_at");
