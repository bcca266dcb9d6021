-- What becomes of routing slips is Steadfast's to say, as changes of users are.
ALTER POLICY bus_member_publishes ON "bus_messages"
  WITH CHECK (NOT starts_with(topic, 'user.') AND topic <> 'routing-slips');
