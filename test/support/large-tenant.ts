import pg from 'pg';

/** Users and orders, each, of the large tenant. */
export const LARGE = 30_000;
/** The tenant that has them; beside it are 1,000 with ten of each. */
export const LARGE_TENANT = 'large';
/** Id of the large tenant's user, order, refund and process of a number. */
export const idOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/**
 * Fills a migrated database by a few statements of the superuser: everything of which a tenant may have many, in the
 * large one and in the thousand small ones. Nothing looks after statistics but who asks for it.
 */
export async function fillLargeTenant(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`
      CREATE TEMP TABLE given AS
        SELECT '${LARGE_TENANT}' AS tenant, n FROM generate_series(1, ${LARGE}) AS n
        UNION ALL SELECT 'small-' || t, ${LARGE} + t * 10 + n
        FROM generate_series(1, 1000) AS t, generate_series(1, 10) AS n;
      CREATE TEMP TABLE world AS
        SELECT tenant, n, ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid AS id,
          timestamptz '2026-01-01' + n * interval '1 minute' AS at FROM given`);
    for (const statement of FILL) await client.query(statement);
  } finally {
    await client.end();
  }
}

const pick = (...values: readonly string[]): string =>
  `(ARRAY[${values.map((value) => `'${value}'`).join(', ')}])[1 + n % ${values.length}]`;

const FILL = [
  `INSERT INTO users (tenant_id, id, auth_subject, email, status, profile_completion_status, sync_status, customer_id,
      profile_completion_deadline, last_sync_attempt, sync_retry_count, created_at, deleted_at)
    SELECT tenant, id, 'auth|' || n, 'user-' || n || '@example.com',
      CASE WHEN n % 500 = 0 THEN 'suspended' ELSE 'active' END::"UserStatus", 'completed',
      CASE WHEN n % 1000 = 0 THEN 'failed' ELSE 'synced' END::"SyncStatus", 'customer-' || n, at, at, 0, at,
      CASE WHEN n % 700 = 0 THEN at END FROM world`,
  `INSERT INTO former_users (tenant_id, subject_hash, profile_deadline, counted_since, deleted_at)
    SELECT tenant, 'hash-' || n, at, at, at FROM world`,
  `INSERT INTO user_sync_services (tenant_id, user_id, service, confirmed_version)
    SELECT tenant, id, service, 1 FROM world, unnest(ARRAY['billing', 'search']) AS service`,
  `INSERT INTO notifications (tenant_id, id, user_id, kind, deadline, recipient, to_user, locale, subject, text, html,
      status, created_at)
    SELECT tenant, id, id, 'reminder', at, 'a', true, 'en', 's', 't', 'h', 'sent', at FROM world`,
  `INSERT INTO notifications (tenant_id, id, user_id, kind, mark, deadline, recipient, to_user, locale, subject, text,
      html, status, created_at)
    SELECT tenant, gen_random_uuid(), '${idOf(1)}', 'reminder', n, at, 'a', n % 2 = 0, 'en', 's', 't', 'h', 'sent', at
    FROM world WHERE tenant = '${LARGE_TENANT}'`,
  `INSERT INTO products (tenant_id, sku, name, price_minor, currency, on_hand, is_active)
    SELECT tenant, 'SKU-' || n, 'Mug', 1000, 'EUR', 1000, n % 1000 <> 0 FROM world`,
  `INSERT INTO orders (tenant_id, id, customer_id, placed_by, currency, total_minor, payment, ship_to, created_at)
    SELECT tenant, id, 'customer-' || CASE WHEN n % 2 = 1 THEN 1 ELSE n END, id, 'EUR', 1000, '{"method":"account"}',
      '{"country":"FR"}', at FROM world`,
  `INSERT INTO order_items (tenant_id, order_id, line, sku, quantity, unit_price_minor)
    SELECT tenant, id, line, 'SKU-' || n, 1, 1000 FROM world, generate_series(1, 2) AS line`,
  `INSERT INTO routing_slips (tenant_id, process_id, variables, created_at) SELECT tenant, id, '{}', at FROM world`,
  `INSERT INTO routing_slip_legs (tenant_id, process_id, number, activity, arguments)
    SELECT tenant, id, number, 'note', '{}' FROM world, generate_series(1, 2) AS number`,
  `INSERT INTO routing_slip_users (tenant_id, user_id, process_id) SELECT tenant, id, id FROM world`,
  `INSERT INTO reservations (tenant_id, order_id, status) SELECT tenant, id, 'shipped' FROM world`,
  `INSERT INTO payments (tenant_id, key, order_id, customer_id, status, amount_minor, currency)
    SELECT tenant, 'order:' || id || ':authorise', id, 'customer-' || n, 'captured', 1000, 'EUR' FROM world`,
  `INSERT INTO ledger_transfers (tenant_id, key, order_id, debit_account, credit_account, amount_minor, currency)
    SELECT tenant, 'order:' || id || ':capture', id, 'customer-' || n, 'revenue', 1000, 'EUR' FROM world`,
  `INSERT INTO credit_accounts (tenant_id, customer_id, currency, limit_minor, owed_minor)
    SELECT tenant, 'customer-' || n, 'EUR', 1000000, 1000 FROM world`,
  `INSERT INTO shipments (tenant_id, order_id, shipment_id, status)
    SELECT tenant, id, id, CASE WHEN n % 3 = 0 THEN 'delivered' ELSE 'accepted' END::"ShipmentStatus" FROM world`,
  // They moved just now, but for the first of them.
  `INSERT INTO process_states (tenant_id, process_id, process_type, workflow_id, listed_for, status, current_step,
      cause, data, history, sequence, started_at, updated_at)
    SELECT tenant, id, 'order', 'order:' || id, 'customer-' || CASE WHEN n % 2 = 1 THEN 1 ELSE n END,
      ${pick('completed', 'waiting', 'compensated')}::"ProcessStatus",
      CASE WHEN n % 3 = 1 THEN 'await_delivery' END,
      CASE WHEN n % 3 = 2 THEN '{"code":"x","message":"x","class":"refused"}'::jsonb END, '{"deliveryLimitMs":1}',
      '[]', 5, at, CASE WHEN n < 100 THEN at ELSE now() END FROM world`,
  // A few of each other kind, long ago: to find them nobody may read the others.
  `UPDATE process_states SET status = (ARRAY['running', 'running', 'running', 'running', 'step_failed', 'compensating',
      'compensation_failed', 'cancelled', 'abandoned', 'compensated'])[1 + n]::"ProcessStatus",
      current_step = (ARRAY['validate_order', 'reserve_inventory', 'process_payment', 'create_shipment',
      'await_delivery', 'process_payment', 'process_payment'])[1 + n],
      cause = CASE WHEN n = 9 THEN '{"code":"x","message":"x","class":"unknown"}'::jsonb END
    FROM (SELECT id, (n % 10) AS n FROM world WHERE tenant = '${LARGE_TENANT}' AND n < 50) AS few
    WHERE tenant_id = '${LARGE_TENANT}' AND process_id = id`,
  `INSERT INTO process_events (tenant_id, process_id, sequence, type, step, detail, at)
    SELECT tenant, id, sequence, 'StepCompleted', 'validate_order', '{"attempts":1,"result":{}}', at
    FROM world, generate_series(1, 5) AS sequence`,
  `INSERT INTO refunds (tenant_id, id, order_id, amount_minor, currency, status)
    SELECT tenant, id, id, 100, 'EUR', 'requested' FROM world`,
  `INSERT INTO settlements (tenant_id, id, settled_id, order_id, payment, amount_minor, payment_at)
    SELECT tenant, id, id, id, 'refund', 100, at FROM world`,
  `INSERT INTO pending_erasures (tenant_id, process_id) SELECT tenant, id FROM world WHERE n % 700 = 0`,
  `INSERT INTO pending_starts (tenant_id, kind, workflow_type, workflow_id, input)
    SELECT tenant, 'start', 'orderProcess', 'order:' || id, '{}' FROM world`,
  ...['outgoing_messages', 'bus_messages'].map(
    (table) => `INSERT INTO ${table} (tenant_id, message_id, topic, key, partition, payload)
      SELECT tenant, id, 'user.updated', id, n % 8, '{}' FROM world`,
  ),
  `INSERT INTO log_cursors (reader, partition, lease_owner)
    SELECT 'outgoing-relay', n, 'me' FROM generate_series(0, 7) AS n`,
  `INSERT INTO inbox_messages (tenant_id, consumer, message_id) SELECT tenant, 'stock', id FROM world`,
  `INSERT INTO dead_letters (tenant_id, id, source, type, cause, detail, message_id, key, payload, status, parked_at,
      resolved_at)
    SELECT tenant, id, 'group-' || n % 2, ${pick('user.updated', 'user.created')}, 'handler_failed', 'd', id, id, '{}',
      CASE WHEN n % 3 = 0 THEN 'replayed' ELSE 'parked' END::"DeadLetterStatus", at,
      CASE WHEN n % 3 = 0 THEN at END FROM world`,
  `UPDATE dead_letters SET source = 'rare', cause = 'rare', type = 'rare', status = 'discarded', resolved_at = parked_at
    WHERE tenant_id = '${LARGE_TENANT}' AND id < '${idOf(20)}'`,
  `INSERT INTO alerts (tenant_id, id, kind, severity, open_key, condition, status, summary, details, first_seen_at,
      resolved_at)
    SELECT tenant, id, ${pick('stuck_process', 'dead_letter_depth')}, 'warning', CASE WHEN n % 5 > 0 THEN id END, id,
      CASE WHEN n % 5 = 0 THEN 'resolved' WHEN n < 20 THEN 'acknowledged' ELSE 'open' END::"AlertStatus", 's', '{}',
      at, CASE WHEN n % 5 = 0 THEN at END FROM world`,
  `UPDATE alerts SET kind = 'rare' WHERE tenant_id = '${LARGE_TENANT}' AND id < '${idOf(20)}'`,
  `INSERT INTO idempotency_keys (tenant_id, scope, key, fingerprint, locked_until, status, body)
    SELECT tenant, 'auth|' || n || ' POST /orders', id, 'f', at, 201, '{}' FROM world`,
];
