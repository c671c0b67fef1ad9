alter table webhook_deliveries set (fillfactor = 70);
create table event_cursors (
    store    text   not null,
    sequence bigint not null,
    primary key (store)
) with (fillfactor = 70);
-- A store is as far as the endpoint that is furthest behind: the others get some
-- events again, and the ids tell them so.
insert into event_cursors (store, sequence)
select store, coalesce(min(cursor) filter (where active), max(cursor)) from webhook_endpoints group by store;
alter table webhook_endpoints add column since bigint;
update webhook_endpoints set since = cursor;
alter table webhook_endpoints
    alter column since set not null,
    drop column cursor,
    drop column until,
    drop column resume,
    drop column leased_until;
