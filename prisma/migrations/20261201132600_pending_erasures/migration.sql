-- Processes of deleted users' orders, of which what people have typed is still to be removed: a queue.
-- CreateTable
CREATE TABLE "pending_erasures" (
    "tenant_id" TEXT NOT NULL,
    "process_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "pending_erasures_pkey" PRIMARY KEY ("tenant_id","process_id")
);

ALTER TABLE "pending_erasures" ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT ON "pending_erasures" TO steadfast_app, steadfast_tenant;
GRANT SELECT, INSERT, DELETE ON "pending_erasures" TO steadfast_system;
CREATE POLICY one_tenant ON "pending_erasures" TO steadfast_tenant
  USING (tenant_id = current_setting('steadfast.tenant', true))
  WITH CHECK (tenant_id = current_setting('steadfast.tenant', true));
CREATE POLICY every_tenant ON "pending_erasures" TO steadfast_system USING (true) WITH CHECK (true);
CREATE POLICY tenant_isolation ON "pending_erasures" TO steadfast_app
  USING (current_setting('steadfast.tenant', true) IN (tenant_id, '*'))
  WITH CHECK (current_setting('steadfast.tenant', true) IN (tenant_id, '*'));

-- Whoever forgets the address of an order, a process of the version before too, promises that what was typed about its
-- processes goes. Rows of their own, since a step may hold that of a process while it waits for the order's.
CREATE FUNCTION promise_erasure_of_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO pending_erasures (tenant_id, process_id)
    SELECT NEW.tenant_id, NEW.id
    UNION ALL SELECT tenant_id, id FROM refunds WHERE tenant_id = NEW.tenant_id AND order_id = NEW.id
    UNION ALL SELECT tenant_id, id FROM settlements WHERE tenant_id = NEW.tenant_id AND order_id = NEW.id
    ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER promise_erasure_of_order AFTER UPDATE OF ship_to ON "orders" FOR EACH ROW
  WHEN (OLD.ship_to IS NOT NULL AND NEW.ship_to IS NULL) EXECUTE FUNCTION promise_erasure_of_order();

-- What is begun about such an order later. The lock lets nobody forget the address between the look and the commit.
CREATE FUNCTION promise_erasure_of_follower() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  is_forgotten boolean;
BEGIN
  SELECT ship_to IS NULL INTO is_forgotten FROM orders
    WHERE tenant_id = NEW.tenant_id AND id = NEW.order_id FOR SHARE;
  IF is_forgotten THEN
    INSERT INTO pending_erasures (tenant_id, process_id) VALUES (NEW.tenant_id, NEW.id) ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER promise_erasure_of_refund AFTER INSERT ON "refunds"
  FOR EACH ROW EXECUTE FUNCTION promise_erasure_of_follower();
CREATE TRIGGER promise_erasure_of_settlement AFTER INSERT ON "settlements"
  FOR EACH ROW EXECUTE FUNCTION promise_erasure_of_follower();

-- And what is reopened of it.
CREATE FUNCTION promise_erasure_of_reopened() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  of_order uuid := coalesce(
    (SELECT order_id FROM refunds WHERE tenant_id = NEW.tenant_id AND id = NEW.process_id),
    (SELECT order_id FROM settlements WHERE tenant_id = NEW.tenant_id AND id = NEW.process_id),
    NEW.process_id);
BEGIN
  IF EXISTS (SELECT FROM orders WHERE tenant_id = NEW.tenant_id AND id = of_order AND ship_to IS NULL) THEN
    INSERT INTO pending_erasures (tenant_id, process_id) VALUES (NEW.tenant_id, NEW.process_id) ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER promise_erasure_of_reopened AFTER UPDATE OF status ON "process_states" FOR EACH ROW
  WHEN (OLD.status = 'abandoned' AND NEW.status <> 'abandoned') EXECUTE FUNCTION promise_erasure_of_reopened();

-- Of users who were deleted before.
INSERT INTO "pending_erasures" (tenant_id, process_id)
  SELECT tenant_id, id FROM orders WHERE ship_to IS NULL
  UNION ALL SELECT r.tenant_id, r.id FROM orders AS o
    JOIN refunds AS r ON r.tenant_id = o.tenant_id AND r.order_id = o.id WHERE o.ship_to IS NULL
  UNION ALL SELECT s.tenant_id, s.id FROM orders AS o
    JOIN settlements AS s ON s.tenant_id = o.tenant_id AND s.order_id = o.id WHERE o.ship_to IS NULL;
UPDATE "users" SET last_sync_error = NULL WHERE purged_at IS NOT NULL AND last_sync_error IS NOT NULL;
UPDATE "user_sync_services" AS s SET last_error = NULL FROM users AS u
  WHERE u.tenant_id = s.tenant_id AND u.id = s.user_id AND u.purged_at IS NOT NULL AND s.last_error IS NOT NULL;

-- What was said stays said, but for the words of people: the clean-up takes them out of the events of a deleted user's
-- orders. It changes nothing else of an event, and the application changes none.
GRANT UPDATE (detail) ON "process_events" TO steadfast_system;

-- Which ids a dead letter names, in its key or its payload.
CREATE INDEX "dead_letters_named_idx" ON "dead_letters" USING gin (named_in_answer(key, left(payload, 100000)));
