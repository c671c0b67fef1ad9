alter table webhook_deliveries set (fillfactor = 70);
comment on table event_cursors is null;
comment on column webhook_endpoints.since is null;
-- A store is as far as the endpoint that is furthest behind: since keeps from the others
-- what they had.
insert into event_cursors (store, sequence)
select store, min(since) from webhook_endpoints where active group by store
on conflict (store) do update set sequence = excluded.sequence;
alter table webhook_endpoints
    drop column until,
    drop column resume,
    drop column leased_until;
