-- What lists are found by. An operator of an enum is not leakproof, so below a policy no index serves it; a text's does.
-- Labels of an enum never change, so the function is as immutable as it says.
CREATE FUNCTION label_of(value anyenum) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
  AS $$ BEGIN RETURN value::text; END $$;

-- Each of these writes its table anew.
ALTER TABLE "users" ADD COLUMN "list_key" TEXT GENERATED ALWAYS AS (
  CASE WHEN deleted_at IS NULL
    THEN label_of(status) || ' ' || label_of(profile_completion_status) || ' ' || label_of(sync_status) END) STORED;
ALTER TABLE "process_states" ADD COLUMN "list_key" TEXT GENERATED ALWAYS AS (
  label_of(status) || ' ' || process_type || ' ' || coalesce(current_step, '') || ' ' ||
  CASE WHEN cancelled IS NULL THEN '' ELSE 'cancelled' END || ' ' ||
  CASE WHEN cause->>'class' = 'refused' THEN 'refused' ELSE '' END) STORED;
ALTER TABLE "dead_letters" ADD COLUMN "list_key" TEXT GENERATED ALWAYS AS (
  label_of(status) || ' ' || source || ' ' || type || ' ' || cause) STORED;
ALTER TABLE "alerts" ADD COLUMN "list_key" TEXT GENERATED ALWAYS AS (label_of(status) || ' ' || kind) STORED;

CREATE INDEX "users_listed_idx" ON "users" (tenant_id, list_key, created_at, id) WHERE list_key IS NOT NULL;
CREATE INDEX "users_email_idx" ON "users" (tenant_id, list_key, email text_pattern_ops, id) WHERE list_key IS NOT NULL;
CREATE INDEX "process_states_listed_idx" ON "process_states" (tenant_id, list_key, started_at, process_id)
  WHERE list_key IS NOT NULL;
CREATE INDEX "dead_letters_listed_idx" ON "dead_letters" (tenant_id, list_key, parked_at, id) WHERE list_key IS NOT NULL;
CREATE INDEX "alerts_listed_idx" ON "alerts" (tenant_id, list_key, first_seen_at, id) WHERE list_key IS NOT NULL;
CREATE INDEX "notifications_listed_idx" ON "notifications" (tenant_id, user_id, to_user, created_at, id)
  WHERE user_id IS NOT NULL;
CREATE INDEX "products_listed_idx" ON "products" (tenant_id, is_active, sku) WHERE is_active IS NOT NULL;

-- What is few: processes that are not over, notifications that wait, alerts that somebody is to be told of.
CREATE INDEX "process_states_open_idx" ON "process_states" (started_at, process_id)
  WHERE status IN ('running', 'waiting', 'compensating', 'compensation_failed', 'step_failed');
CREATE INDEX "notifications_waiting_idx" ON "notifications" (created_at) WHERE status = 'pending';
CREATE INDEX "alerts_undelivered_idx" ON "alerts" (next_delivery_at) WHERE undelivered <> '{}';

-- When a synchronisation was last tried, whatever came of it.
CREATE INDEX "users_last_sync_attempt_idx" ON "users" ("last_sync_attempt");

-- The queue of promised calls, in the order in which they are due; and the oldest of them.
CREATE INDEX "pending_starts_next_attempt_at_position_idx" ON "pending_starts" ("next_attempt_at", "position");
CREATE INDEX "pending_starts_created_at_idx" ON "pending_starts" ("created_at");

-- What these served is served by those above, or never was. The columns in them change with every step, and an update
-- that changes no indexed column writes no index.
DROP INDEX "users_status_profile_completion_deadline_idx";
DROP INDEX "users_sync_status_last_sync_attempt_idx";
DROP INDEX "users_tenant_id_created_at_id_idx";
DROP INDEX "users_tenant_id_email_idx";
DROP INDEX "process_states_status_updated_at_idx";
DROP INDEX "process_states_tenant_id_started_at_process_id_idx";
DROP INDEX "dead_letters_tenant_id_status_parked_at_id_idx";
DROP INDEX "alerts_tenant_id_status_last_seen_at_id_idx";
DROP INDEX "notifications_status_created_at_idx";
DROP INDEX "pending_starts_next_attempt_at_idx";

-- How many rows there are, by tenant and of all tenants ('*'), kept by those who change them. A count is the sum of its
-- slots: a transaction takes one that is free or adds one, so nobody waits for anybody's commit.
CREATE TABLE "row_counts" (
  "tenant_id" TEXT NOT NULL,
  "counted" TEXT NOT NULL,
  "key" TEXT NOT NULL,
  "slot" BIGSERIAL NOT NULL,
  "count" BIGINT NOT NULL,
  CONSTRAINT "row_counts_pkey" PRIMARY KEY ("tenant_id", "counted", "key", "slot")
) WITH (fillfactor = 50);
CREATE INDEX "row_counts_counted_tenant_id_idx" ON "row_counts" ("counted", "tenant_id");
ALTER TABLE "row_counts" ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "row_counts"
  USING (current_setting('steadfast.tenant', true) IN (tenant_id, '*'))
  WITH CHECK (current_setting('steadfast.tenant', true) IN (tenant_id, '*'));
REVOKE INSERT, UPDATE, DELETE ON "row_counts" FROM steadfast_app;

CREATE FUNCTION add_to_count(of_tenant text, what text, which text, difference bigint) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  free bigint;
BEGIN
  SELECT slot INTO free FROM row_counts
    WHERE tenant_id = of_tenant AND counted = what AND key = which ORDER BY slot LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
  IF FOUND THEN
    UPDATE row_counts SET count = count + difference
      WHERE tenant_id = of_tenant AND counted = what AND key = which AND slot = free;
  ELSE
    INSERT INTO row_counts (tenant_id, counted, key, count) VALUES (of_tenant, what, which, difference);
  END IF;
END $$;
REVOKE EXECUTE ON FUNCTION add_to_count(text, text, text, bigint) FROM PUBLIC;

-- For each table: the trigger that counts what a statement changed, and a function that compares the counts with the
-- rows, in one snapshot, adds what differs and answers it.
DO $do$
DECLARE
  counted record;
BEGIN
  FOR counted IN SELECT * FROM (VALUES
    ('users', $key$list_key || ' ' || CASE WHEN sync_status = 'synced' THEN 0 ELSE sync_retry_count END$key$, true, true),
    ('dead_letters', $key$CASE WHEN status = 'parked' THEN source END$key$, true, true),
    ('alerts', $key$CASE WHEN open_key IS NOT NULL THEN kind || ' ' || severity END$key$, false, true),
    ('notifications', $key$CASE WHEN status = 'pending' THEN 'waiting' END$key$, false, true),
    ('pending_starts', $key$'waiting'::text$key$, false, false)
  ) AS t (name, key, is_by_tenant, is_updated) LOOP
    EXECUTE format($function$
      CREATE FUNCTION count_%1$s() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
      DECLARE
        change record;
      BEGIN
        IF TG_OP = 'INSERT' THEN
          FOR change IN SELECT tenant_id, %2$s AS key, count(*) AS difference FROM after_rows GROUP BY 1, 2 LOOP
            PERFORM count_one_%1$s(change.tenant_id, change.key, change.difference);
          END LOOP;
        ELSIF TG_OP = 'DELETE' THEN
          FOR change IN SELECT tenant_id, %2$s AS key, -count(*) AS difference FROM before_rows GROUP BY 1, 2 LOOP
            PERFORM count_one_%1$s(change.tenant_id, change.key, change.difference);
          END LOOP;
        ELSE
          FOR change IN
            SELECT tenant_id, each.key, sum(each.difference)::bigint AS difference FROM (
              SELECT tenant_id, %2$s AS key, 1 AS difference FROM after_rows
              UNION ALL SELECT tenant_id, %2$s, -1 FROM before_rows
            ) AS each GROUP BY 1, 2 HAVING sum(each.difference) <> 0
          LOOP
            PERFORM count_one_%1$s(change.tenant_id, change.key, change.difference);
          END LOOP;
        END IF;
        RETURN NULL;
      END $body$$function$, counted.name, counted.key);
    EXECUTE format($function$
      CREATE FUNCTION count_one_%1$s(of_tenant text, which text, difference bigint) RETURNS void
        LANGUAGE plpgsql AS $body$
      BEGIN
        IF which IS NULL THEN RETURN; END IF;
        PERFORM add_to_count('*', %1$L, which, difference);
        %2$s
      END $body$$function$, counted.name,
      CASE WHEN counted.is_by_tenant
        THEN format('PERFORM add_to_count(of_tenant, %L, which, difference);', counted.name) ELSE '' END);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION count_one_%1$s(text, text, bigint) FROM PUBLIC', counted.name);
    EXECUTE format('CREATE TRIGGER count_inserted AFTER INSERT ON %1$I REFERENCING NEW TABLE AS after_rows
      FOR EACH STATEMENT EXECUTE FUNCTION count_%1$s()', counted.name);
    EXECUTE format('CREATE TRIGGER count_deleted AFTER DELETE ON %1$I REFERENCING OLD TABLE AS before_rows
      FOR EACH STATEMENT EXECUTE FUNCTION count_%1$s()', counted.name);
    IF counted.is_updated THEN
      EXECUTE format('CREATE TRIGGER count_updated AFTER UPDATE ON %1$I
        REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
        FOR EACH STATEMENT EXECUTE FUNCTION count_%1$s()', counted.name);
    END IF;
    EXECUTE format($function$
      CREATE FUNCTION recount_%1$s() RETURNS TABLE (of_tenant text, which text, difference bigint)
        LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
        WITH actual AS (
          SELECT tenant_id, %2$s AS key, count(*) AS n FROM %1$I GROUP BY 1, 2
        ), expected AS (
          SELECT '*' AS tenant_id, key, sum(n) AS n FROM actual WHERE key IS NOT NULL GROUP BY key
          %3$s
        ), kept AS (
          SELECT tenant_id, key, sum(count) AS n FROM row_counts WHERE counted = %1$L GROUP BY 1, 2
        ), differing AS (
          SELECT tenant_id, key, (coalesce(expected.n, 0) - coalesce(kept.n, 0))::bigint AS difference
          FROM expected FULL JOIN kept USING (tenant_id, key) WHERE coalesce(expected.n, 0) <> coalesce(kept.n, 0)
        ), repaired AS (
          INSERT INTO row_counts (tenant_id, counted, key, count)
          SELECT tenant_id, %1$L, key, differing.difference FROM differing
        )
        SELECT tenant_id, key, differing.difference FROM differing
      $body$$function$, counted.name, counted.key,
      CASE WHEN counted.is_by_tenant
        THEN 'UNION ALL SELECT tenant_id, key, n FROM actual WHERE key IS NOT NULL' ELSE '' END);
    EXECUTE format('SELECT recount_%s()', counted.name);
  END LOOP;
END $do$;

CREATE INDEX "dead_letters_parked_idx" ON "dead_letters" (tenant_id, source, parked_at) WHERE status = 'parked';
