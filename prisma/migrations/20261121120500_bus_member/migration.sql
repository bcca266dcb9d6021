-- The role of other teams' services: to publish and to read on the bus, and nothing else. A team's login is made a
-- member of it: GRANT steadfast_bus_member TO accounting;
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'steadfast_bus_member') THEN
    CREATE ROLE steadfast_bus_member NOLOGIN NOSUPERUSER NOBYPASSRLS;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; -- another database of this cluster was migrated at the same moment
END $$;

DO $$
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO steadfast_bus_member', current_schema());
  EXECUTE format('GRANT USAGE ON SEQUENCE %s TO steadfast_bus_member', pg_get_serial_sequence('bus_messages', 'position'));
END $$;
GRANT SELECT, INSERT ON bus_messages TO steadfast_bus_member;
GRANT SELECT, INSERT, UPDATE ON log_cursors TO steadfast_bus_member;
GRANT SELECT, INSERT, UPDATE, DELETE ON leases TO steadfast_bus_member; -- readers of one group find each other there

-- Cursors and leases have no tenant: everybody has all of them, but a member only those of the bus's groups, and of these
-- none of our own consumer.
ALTER TABLE log_cursors ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON log_cursors USING (true) WITH CHECK (true);
CREATE POLICY bus_member ON log_cursors AS RESTRICTIVE TO steadfast_bus_member
  USING (starts_with(reader, 'bus:') AND NOT starts_with(reader, 'bus:sync-confirmations:'))
  WITH CHECK (starts_with(reader, 'bus:') AND NOT starts_with(reader, 'bus:sync-confirmations:'));

ALTER TABLE leases ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON leases USING (true) WITH CHECK (true);
CREATE POLICY bus_member ON leases AS RESTRICTIVE TO steadfast_bus_member
  USING (starts_with(name, 'log-reader:bus:') AND NOT starts_with(name, 'log-reader:bus:sync-confirmations:'))
  WITH CHECK (starts_with(name, 'log-reader:bus:') AND NOT starts_with(name, 'log-reader:bus:sync-confirmations:'));
