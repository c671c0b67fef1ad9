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
    event    integer check (event > 0),
    sequence bigint check (sequence > 0),
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

-- A field of a row as it goes into the hash: with its length, so that no two rows
-- read alike.
create function audit_field(field bytea) returns bytea language sql immutable strict as $$
    select int8send(octet_length(field)::bigint) || field
$$;
create function audit_field(field text) returns bytea language sql immutable strict as $$
    select audit_field(convert_to(field, 'UTF8'))
$$;

-- Adds a row that takes over no event, in the transaction of what it is about and
-- without a round trip of its own. The hash is that of AuditEntry.Chained; whoever
-- verifies the audit computes it there.
create function audit_append(of_store text, of_at timestamptz, by_actor text, by_source text, of_action text, of_subject text,
    of_order uuid, of_amount text, of_currency text, of_status text, of_detail text) returns void language plpgsql as $$
declare
    head audit_heads;
    link bytea;
begin
    insert into audit_heads (store, position, hash, sequence) values (of_store, 0, '', 0) on conflict do nothing;
    select * into head from audit_heads h where h.store = of_store for update;
    link := sha256(audit_field(head.hash) || audit_field(of_store) || audit_field((head.position + 1)::text)
        || audit_field((extract(epoch from of_at) * 1000000)::bigint::text) || audit_field(by_actor) || audit_field(by_source)
        || audit_field(of_action) || audit_field(of_subject)
        || audit_field(coalesce(uuid_send(of_order), decode(repeat('00', 16), 'hex')))
        || audit_field(of_amount) || audit_field(of_currency) || audit_field(of_status) || audit_field(of_detail)
        || audit_field('0'::text) || audit_field('0'::text) || audit_field(''::bytea));
    insert into audit (store, position, at, actor, source, action, subject, order_id, amount, currency, status, detail, hash)
    values (of_store, head.position + 1, of_at, by_actor, by_source, of_action, of_subject, of_order, of_amount, of_currency,
        of_status, of_detail, link);
    update audit_heads h set position = h.position + 1, hash = link where h.store = of_store;
end $$;
