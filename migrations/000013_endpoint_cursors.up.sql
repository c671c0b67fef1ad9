-- Each endpoint has its own cursor and reads the events themselves. A delivery is
-- a row once it was tried: what was taken at the first try is written once.
alter table webhook_endpoints
    -- the sequence up to which events were handed on to it, or passed over
    add column cursor       bigint,
    -- what was on its way when it was turned off ends here, and, turned on again, it
    -- goes on from there
    add column until        bigint,
    add column resume       bigint,
    -- until then one round delivers to it, and nobody else
    add column leased_until timestamptz;
update webhook_endpoints w set cursor = greatest(since, (select sequence from event_cursors c where c.store = w.store));
alter table webhook_endpoints
    alter column cursor set not null,
    drop column since;
drop table event_cursors;
-- Most rows are never changed.
alter table webhook_deliveries reset (fillfactor);
