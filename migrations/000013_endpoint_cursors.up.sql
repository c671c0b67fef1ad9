-- Each endpoint reads the events themselves, behind a cursor of its own: since, which
-- moves on from now on. A delivery is a row once it was tried: what was taken at the
-- first try is written once.
--
-- The binary before runs on this schema. Its pump goes by event_cursors still, and
-- leaves out what is not behind since; what both hand on has the same row.
alter table webhook_endpoints
    -- what was on its way when it was turned off ends here, and, turned on again, it
    -- goes on from there
    add column until        bigint,
    add column resume       bigint,
    -- until then one round delivers to it, and nobody else
    add column leased_until timestamptz;
update webhook_endpoints w set since = greatest(since, (select sequence from event_cursors c where c.store = w.store));
comment on column webhook_endpoints.since is 'The sequence up to which events were handed on to it, or passed over.';
comment on table event_cursors is 'Of the binary before.';
-- Most rows are never changed.
alter table webhook_deliveries reset (fillfactor);
