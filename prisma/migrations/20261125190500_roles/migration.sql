-- Two roles in the place of steadfast_app, each a log-in of its own that can become nothing else: the application's,
-- which sees the tenant that a transaction names and never all of them, and that of what looks across tenants.
-- steadfast_app stays as it is for processes of the version before, which go on beside new ones until they are replaced.
DO $$
DECLARE
  new_role text;
BEGIN
  FOREACH new_role IN ARRAY ARRAY['steadfast_tenant', 'steadfast_system'] LOOP
    BEGIN
      IF to_regrole(new_role) IS NULL THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION', new_role);
      END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; -- another database of this cluster was migrated at the same moment
    END;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), new_role);
    -- Everybody may connect unless somebody took that back.
    IF NOT has_database_privilege(new_role, current_database(), 'CONNECT') THEN
      EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), new_role);
    END IF;
  END LOOP;
END $$;

-- Both get what steadfast_app has, and each table with a tenant a policy for each of the three.
DO $$
DECLARE
  target record;
  kind text;
  is_held boolean;
BEGIN
  FOR target IN
    SELECT c.oid, c.relname, c.relkind, EXISTS (SELECT FROM pg_policy AS p
      WHERE p.polrelid = c.oid AND p.polname = 'tenant_isolation') AS is_fenced
    FROM pg_class AS c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'S')
  LOOP
    FOREACH kind IN ARRAY CASE target.relkind WHEN 'S' THEN ARRAY['USAGE']
      ELSE ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'] END
    LOOP
      is_held := CASE target.relkind WHEN 'S' THEN has_sequence_privilege('steadfast_app', target.oid, kind)
        ELSE has_table_privilege('steadfast_app', target.oid, kind) END;
      IF is_held THEN
        EXECUTE format('GRANT %s ON %s %I TO steadfast_tenant, steadfast_system', kind,
          CASE target.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, target.relname);
      END IF;
    END LOOP;
    IF target.is_fenced THEN
      EXECUTE format('ALTER POLICY tenant_isolation ON %I TO steadfast_app', target.relname);
      EXECUTE format($policy$CREATE POLICY one_tenant ON %I TO steadfast_tenant
        USING (tenant_id = current_setting('steadfast.tenant', true))
        WITH CHECK (tenant_id = current_setting('steadfast.tenant', true))$policy$, target.relname);
      EXECUTE format('CREATE POLICY every_tenant ON %I TO steadfast_system USING (true) WITH CHECK (true)', target.relname);
    END IF;
  END LOOP;
END $$;

-- The sums over all tenants have the tenant '*', which no token can name but a statement can.
CREATE POLICY no_sums ON "row_counts" AS RESTRICTIVE TO steadfast_tenant USING (tenant_id <> '*');

-- A log says what was said: the application adds to it, at the place that the log itself gives to a row.
REVOKE INSERT, UPDATE, DELETE ON "outgoing_messages", "bus_messages" FROM steadfast_tenant;
GRANT INSERT (tenant_id, message_id, topic, key, partition, payload, trace_context) ON "outgoing_messages" TO steadfast_tenant;
GRANT INSERT (tenant_id, message_id, topic, key, partition, payload) ON "bus_messages" TO steadfast_tenant;

-- Where readers stand is nothing of the application's, and of leases it takes those of what it does for callers alone.
REVOKE ALL ON "log_cursors", "log_clusters" FROM steadfast_tenant;
CREATE POLICY tenant_leases ON "leases" AS RESTRICTIVE TO steadfast_tenant
  USING (starts_with(name, 'notification:') OR starts_with(name, 'dead-letter:'))
  WITH CHECK (starts_with(name, 'notification:') OR starts_with(name, 'dead-letter:'));

-- The bus as its members see it.
CREATE POLICY bus_member ON "bus_messages" TO steadfast_bus_member USING (true) WITH CHECK (true);

-- New sequences and functions are closed, too, until their migration opens them.
DO $$
DECLARE
  recount regprocedure;
BEGIN
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I REVOKE USAGE ON SEQUENCES FROM steadfast_app', current_schema());
  FOR recount IN SELECT p.oid FROM pg_proc AS p
    WHERE p.pronamespace = current_schema()::regnamespace AND starts_with(p.proname, 'recount_')
  LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', recount);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO steadfast_app, steadfast_system', recount);
  END LOOP;
END $$;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- It acts as the owner, so that it asks for the very tenant: the name of all is none here, nor is no name.
CREATE OR REPLACE FUNCTION forget_answers(of_tenant text, named text[]) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF current_setting('steadfast.tenant', true) IS DISTINCT FROM of_tenant THEN
    RAISE EXCEPTION 'not the tenant of this transaction' USING ERRCODE = 'insufficient_privilege';
  END IF;
  -- `|| ''`: or the planner might read the tenant.
  DELETE FROM idempotency_keys WHERE named_in_answer(scope, body) && named AND tenant_id || '' = of_tenant;
END $$;
GRANT EXECUTE ON FUNCTION forget_answers(text, text[]) TO steadfast_tenant;

-- Who watches the horizon of the logs sees how old the transactions of others are; where the migrating role may not
-- give that away, an alert says so.
DO $$
BEGIN
  GRANT pg_read_all_stats TO steadfast_system;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END $$;
