-- What was said stays said: nobody who acts for callers changes a transfer or an event of a process, or takes it back.
REVOKE UPDATE, DELETE ON "ledger_transfers", "process_events" FROM steadfast_app;

-- A new table is closed until its migration opens it, with its policy.
DO $$
BEGIN
  EXECUTE format(
    'ALTER DEFAULT PRIVILEGES IN SCHEMA %I REVOKE SELECT, INSERT, UPDATE, DELETE ON TABLES FROM steadfast_app',
    current_schema());
END $$;

-- The tables that know no tenant, and why. Every other one is refused at the start (src/postgres/tenant-fence.ts).
COMMENT ON TABLE "log_cursors" IS 'no tenant: a reader reads the messages of all tenants';
COMMENT ON TABLE "log_clusters" IS 'no tenant: says of which cluster the logs are';
COMMENT ON TABLE "leases" IS 'no tenant: says which process does what one may do at a time';

-- NOT VALID: what was written before stays, and readers cut what is too large of it.
ALTER TABLE "bus_messages"
  ADD CONSTRAINT bus_messages_tenant_check CHECK (tenant_id ~ '^[a-z0-9][a-z0-9-]{0,62}$') NOT VALID,
  ADD CONSTRAINT bus_messages_size_check CHECK (
    octet_length(payload) <= 1000000 AND octet_length(message_id) <= 2000 AND octet_length(topic) <= 1000
    AND octet_length(key) <= 2000) NOT VALID;
ALTER TABLE "outgoing_messages"
  ADD CONSTRAINT outgoing_messages_tenant_check CHECK (tenant_id ~ '^[a-z0-9][a-z0-9-]{0,62}$') NOT VALID,
  ADD CONSTRAINT outgoing_messages_size_check CHECK (
    pg_column_size(payload) <= 2000000 AND octet_length(message_id) <= 2000 AND octet_length(topic) <= 1000
    AND octet_length(key) <= 2000) NOT VALID;
