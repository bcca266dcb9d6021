-- What the services of choreographed orders say, and how far they have heard, is Steadfast's, as it is of users.
ALTER POLICY bus_member_publishes ON "bus_messages"
  WITH CHECK (NOT starts_with(topic, 'user.')
    AND topic NOT IN ('routing-slips', 'order', 'inventory', 'payment', 'shipping'));

-- A reader's name is that of its group and its topics: other teams may have groups of the same names.
ALTER POLICY bus_member ON "log_cursors"
  USING (starts_with(reader, 'bus:') AND NOT reader ^@ ANY (ARRAY['bus:sync-confirmations:',
    'bus:order:inventory,order,payment,shipping', 'bus:inventory:inventory,shipping', 'bus:payment:payment',
    'bus:shipping:shipping']))
  WITH CHECK (starts_with(reader, 'bus:') AND NOT reader ^@ ANY (ARRAY['bus:sync-confirmations:',
    'bus:order:inventory,order,payment,shipping', 'bus:inventory:inventory,shipping', 'bus:payment:payment',
    'bus:shipping:shipping']));
ALTER POLICY bus_member ON "leases"
  USING (starts_with(name, 'log-reader:bus:') AND NOT name ^@ ANY (ARRAY['log-reader:bus:sync-confirmations:',
    'log-reader:bus:order:inventory,order,payment,shipping', 'log-reader:bus:inventory:inventory,shipping',
    'log-reader:bus:payment:payment', 'log-reader:bus:shipping:shipping']))
  WITH CHECK (starts_with(name, 'log-reader:bus:') AND NOT name ^@ ANY (ARRAY['log-reader:bus:sync-confirmations:',
    'log-reader:bus:order:inventory,order,payment,shipping', 'log-reader:bus:inventory:inventory,shipping',
    'log-reader:bus:payment:payment', 'log-reader:bus:shipping:shipping']));
