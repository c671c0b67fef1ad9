-- Events out: who gets them, how far each store's events were handed on, and
-- what became of each delivery.
--
-- The tables of the hot path are not touched: a pump reads events behind a
-- cursor and turns them into deliveries.

create table webhook_endpoints (
    store           text        not null,
    -- all zero: the store's own system, which carries out effects of orders; its
    -- URL and secret stand in the settings
    id              uuid        not null,
    url             text        not null,
    types           text[]      not null,
    active          boolean     not null default true,
    disabled_reason text        not null default '' check (disabled_reason in ('', 'gone', 'failing', 'by_request')),
    -- the latest sequence before it was made, or became active again
    since           bigint      not null,
    secret_version  integer     not null default 1,
    -- until then the version before signs too
    rotating_until  timestamptz,
    -- health: rounds in a row in which nothing was taken, since when, and the rest it is given
    failures        integer     not null default 0,
    failing_since   timestamptz,
    resting_until   timestamptz,
    created_at      timestamptz not null,
    updated_at      timestamptz not null,
    primary key (store, id)
) with (fillfactor = 70);

-- How far the pump has read the events of a store.
create table event_cursors (
    store    text   not null,
    sequence bigint not null,
    primary key (store)
) with (fillfactor = 70);

create table webhook_deliveries (
    order_id   uuid        not null,
    n          integer     not null, -- of the event
    store      text        not null,
    endpoint   uuid        not null,
    sequence   bigint      not null, -- of the event
    effect     text        not null default '', -- the key of the effect that a command is about
    state      text        not null check (state in ('pending', 'delivered', 'parked')),
    tries      integer     not null default 0,
    status     integer     not null default 0, -- of the last answer, 0 for none
    error      text        not null default '',
    next_at    timestamptz,
    created_at timestamptz not null,
    ended_at   timestamptz,
    primary key (order_id, n, endpoint)
) with (fillfactor = 70);
create index webhook_deliveries_by_endpoint on webhook_deliveries (store, endpoint, sequence);
create index webhook_deliveries_due on webhook_deliveries (store, endpoint, next_at) where next_at is not null;
create index webhook_deliveries_by_age on webhook_deliveries (created_at);
