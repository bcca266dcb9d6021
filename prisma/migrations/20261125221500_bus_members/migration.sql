-- Who published is written by the database: the log-in, whatever role it has assumed. Null: from before.
ALTER TABLE "bus_messages" ADD COLUMN "published_by" TEXT;
ALTER TABLE "bus_messages" ALTER COLUMN "published_by" SET DEFAULT SESSION_USER;

-- A member chooses neither that nor the place of a message in the log. It announces no change of a user, which is
-- Steadfast's to say, and what services answer is between each of them and Steadfast.
REVOKE INSERT ON "bus_messages" FROM steadfast_bus_member;
GRANT INSERT (tenant_id, message_id, topic, key, partition, payload) ON "bus_messages" TO steadfast_bus_member;
DROP POLICY bus_member ON "bus_messages";
CREATE POLICY bus_member_reads ON "bus_messages" FOR SELECT TO steadfast_bus_member
  USING (NOT starts_with(topic, 'sync.user.') OR published_by = session_user);
CREATE POLICY bus_member_publishes ON "bus_messages" FOR INSERT TO steadfast_bus_member
  WITH CHECK (NOT starts_with(topic, 'user.'));

-- How large a row may be, whoever writes it; of what is larger from before, the beginning stays.
UPDATE "dead_letters" SET payload = left(payload, 1000) || ' … cut, of ' || octet_length(payload) || ' bytes'
  WHERE octet_length(payload) > 8000000;
UPDATE "dead_letters" SET key = left(key, 2000) WHERE octet_length(key) > 8000;
ALTER TABLE "dead_letters" ADD CONSTRAINT dead_letters_size_check CHECK (
  octet_length(payload) <= 8000000 AND octet_length(key) <= 8000 AND octet_length(message_id) <= 8000
  AND octet_length(detail) <= 8000) NOT VALID;
ALTER TABLE "inbox_messages" ADD CONSTRAINT inbox_messages_size_check CHECK (
  octet_length(message_id) <= 2000 AND octet_length(consumer) <= 500) NOT VALID;
ALTER TABLE "pending_starts" ADD CONSTRAINT pending_starts_size_check CHECK (
  pg_column_size(input) <= 2000000 AND pg_column_size(signal_arg) <= 2000000
  AND octet_length(workflow_id) <= 1000) NOT VALID;
