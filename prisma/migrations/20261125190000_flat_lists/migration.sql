-- Whose list a process is in, too (of an order: its customer), and since when it has its status and step.
ALTER TABLE "process_states" ADD COLUMN "listed_for" TEXT, ADD COLUMN "moved_at" TIMESTAMPTZ(3);
UPDATE "process_states" AS p SET moved_at = p.updated_at,
  listed_for = (SELECT customer_id FROM orders AS o WHERE o.tenant_id = p.tenant_id AND o.id = p.process_id);
ALTER TABLE "process_states" ALTER COLUMN "moved_at" SET NOT NULL;

CREATE FUNCTION process_has_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.moved_at := NEW.updated_at;
  RETURN NEW;
END $$;
CREATE TRIGGER process_has_begun BEFORE INSERT ON "process_states"
  FOR EACH ROW EXECUTE FUNCTION process_has_moved();
CREATE TRIGGER process_has_moved BEFORE UPDATE ON "process_states" FOR EACH ROW
  WHEN ((OLD.status, OLD.current_step) IS DISTINCT FROM (NEW.status, NEW.current_step))
  EXECUTE FUNCTION process_has_moved();

-- For an API of the version before, which may still run for a while and does not name the customer.
CREATE FUNCTION list_order_for_customer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE process_states AS p SET listed_for = o.customer_id FROM orders AS o
    WHERE p.tenant_id = NEW.tenant_id AND p.process_id = NEW.process_id
      AND o.tenant_id = NEW.tenant_id AND o.id = NEW.process_id;
  RETURN NULL;
END $$;
CREATE TRIGGER list_order_for_customer AFTER INSERT ON "process_states" FOR EACH ROW
  WHEN (NEW.process_type = 'order' AND NEW.listed_for IS NULL) EXECUTE FUNCTION list_order_for_customer();

CREATE INDEX "process_states_moved_idx" ON "process_states" (tenant_id, list_key, moved_at, process_id)
  WHERE list_key IS NOT NULL;
CREATE INDEX "process_states_listed_for_idx" ON "process_states" (tenant_id, listed_for, list_key, started_at, process_id)
  WHERE listed_for IS NOT NULL;

-- What audits look for in all tenants: users by their ids, closed processes by theirs, and open alerts of a kind.
CREATE INDEX "users_id_idx" ON "users" (id);
CREATE INDEX "process_states_closed_idx" ON "process_states" (process_id)
  WHERE status IN ('completed', 'compensated', 'cancelled', 'abandoned');
CREATE INDEX "alerts_unresolved_idx" ON "alerts" (kind, tenant_id, id) WHERE open_key IS NOT NULL;

-- What the clean-up deletes, by its age.
CREATE INDEX "dead_letters_settled_idx" ON "dead_letters" (resolved_at) WHERE status <> 'parked';
CREATE INDEX "alerts_resolved_idx" ON "alerts" (resolved_at) WHERE status = 'resolved';
CREATE INDEX "notifications_over_idx" ON "notifications" (created_at) WHERE status <> 'pending';

-- Who is named in a kept answer to a request: the subject that asked, and every id in its address and its answer.
CREATE FUNCTION named_in_answer(scope text, body text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT array_agg(found[1]) || regexp_replace(scope, ' [A-Z]+ [^ ]*$', '') FROM regexp_matches(
    scope || ' ' || coalesce(body, ''), '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', 'g') AS found
$$;
CREATE INDEX "idempotency_keys_named_idx" ON "idempotency_keys" USING gin (named_in_answer(scope, body));

-- No operator of arrays is leakproof, so that below a policy no index serves them: the owner looks, in one tenant.
CREATE FUNCTION forget_answers(of_tenant text, named text[]) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF current_setting('steadfast.tenant', true) NOT IN (of_tenant, '*') THEN
    RAISE EXCEPTION 'not the tenant of this transaction' USING ERRCODE = 'insufficient_privilege';
  END IF;
  -- `|| ''`: or the planner might read the tenant.
  DELETE FROM idempotency_keys WHERE named_in_answer(scope, body) && named AND tenant_id || '' = of_tenant;
END $$;
REVOKE EXECUTE ON FUNCTION forget_answers(text, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_answers(text, text[]) TO steadfast_app;
