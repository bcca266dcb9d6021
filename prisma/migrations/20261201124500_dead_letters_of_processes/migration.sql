-- Processes that were abandoned before they had dead letters get theirs, as src/db/processes/park-abandoned.ts writes them:
-- where each stood, why, and who left it there. Not those whose left-over was settled, which can't be reopened, nor those
-- of orders that were forgotten with their users.
INSERT INTO "dead_letters" (tenant_id, id, source, type, cause, detail, message_id, key, payload, parked_at)
SELECT p.tenant_id, gen_random_uuid(), 'process', p.process_type, coalesce(stood.cause->>'code', 'unexplained'),
  'Abandoned at ' || stood.step || coalesce(' by ' || (decided.decision->>'by'), '')
    || coalesce(': ' || (decided.decision->>'reason'), ''),
  p.process_id::text, p.process_id::text,
  jsonb_build_object('processId', p.process_id, 'type', p.process_type, 'workflowId', p.workflow_id,
    'status', CASE WHEN p.cause IS NULL THEN 'step_failed' ELSE 'compensation_failed' END,
    'step', stood.step, 'cause', stood.cause, 'turnedBack', p.cause,
    'decided', decided.decision || jsonb_build_object('at',
      to_char(to_timestamp((decided.decision->>'at')::float8 / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
  )::text,
  p.updated_at
FROM "process_states" AS p
CROSS JOIN LATERAL (
  SELECT e.step->>'step' AS step, nullif(e.step->'decided', 'null') AS decided,
    nullif(CASE WHEN p.cause IS NULL THEN e.step->'error' ELSE e.step->'compensation'->'error' END, 'null') AS cause
  FROM jsonb_array_elements(p.history) WITH ORDINALITY AS e (step, place)
  WHERE p.cause IS NULL OR e.step->>'status' = 'compensation_failed'
    OR (e.step->>'status' = 'skipped' AND jsonb_typeof(e.step->'compensation') = 'object')
  ORDER BY (e.step->>'status' = 'compensation_failed') DESC, e.place DESC LIMIT 1
) AS stood
CROSS JOIN LATERAL (
  SELECT coalesce((
    SELECT nullif(detail->'decided', 'null') FROM "process_events" AS e
    WHERE e.tenant_id = p.tenant_id AND e.process_id = p.process_id AND e.type = 'ProcessAbandoned'
    ORDER BY sequence DESC LIMIT 1), stood.decided) AS decision
) AS decided
LEFT JOIN "refunds" AS f ON f.tenant_id = p.tenant_id AND f.id = p.process_id
LEFT JOIN "settlements" AS s ON s.tenant_id = p.tenant_id AND s.id = p.process_id
WHERE p.status = 'abandoned'
  AND NOT EXISTS (SELECT FROM "settlements" AS by WHERE by.tenant_id = p.tenant_id AND by.settled_id = p.process_id)
  AND NOT EXISTS (SELECT FROM "orders" AS o WHERE o.tenant_id = p.tenant_id
    AND o.id = coalesce(f.order_id, s.order_id, p.process_id) AND o.ship_to IS NULL)
ON CONFLICT (tenant_id, source, message_id) DO NOTHING;
