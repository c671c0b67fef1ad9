-- The audit: who changed what, when, and how we know of it. Rows are only ever
-- added. Each carries the hash of itself and of the one before in its store, so
-- that a row which was edited, taken out or put in breaks the chain there.
--
-- What happens to orders is in their events already, written in the same commit:
-- a job takes those over in their settled order, so that no payment waits for the
-- chain of its store. Changes of keys, settings and the like are added at once.

create table audit (
    store    text        not null, -- '' for the service as a whole
    position bigint      not null, -- numbers the rows of a store from 1 without gaps
    at       timestamptz not null,
    actor    text        not null, -- the id of a key, 'psp', 'system', 'command line'
    source   text        not null, -- how we know: answer, notification, inquiry, operator, …
    action   text        not null, -- 'transaction.approved', 'key.created', …
    subject  text        not null, -- the id of what was changed
    order_id uuid ,
    amount   text        not null default '',
    currency text        not null default '',
    status   text        not null default '',
    detail   text        not null default '',
    -- of the event that the row took over, null for others
    event    integer,
    sequence bigint,
    digest   bytea,
    hash     bytea       not null,
    primary key (store, position)
);
create index audit_by_order on audit (order_id, position) where order_id is not null;
create unique index audit_of_events on audit (store, sequence) where sequence is not null;

-- The last row of each chain, and how far the events of the store were taken over.
create table audit_heads (
    store    text   not null,
    position bigint not null,
    hash     bytea  not null,
    sequence bigint not null,
    primary key (store)
) with (fillfactor = 70);

create function audit_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the audit is append-only' using errcode = 'restrict_violation';
end $$;
create trigger audit_append_only before update or delete or truncate on audit
    for each statement execute function audit_is_append_only();
