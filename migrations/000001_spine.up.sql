-- The spine: orders and all that belongs to them, keys, idempotency, inbox.
--
-- Every table of an order begins its key with order_id: one order lives together,
-- and the schema can be distributed by it. Children are numbered by their order
-- (n), so no second index is needed to find one. Amounts are minor units of the
-- order's currency. Times are handed in; nothing here asks the clock.

create table orders (
    id                uuid        not null,
    store             text        not null,
    -- compared byte by byte, so that the index also finds what a number begins with
    number            text        collate "C" not null,
    content_hash      bytea       not null,
    currency          text        not null check (length(currency) = 3),
    total             bigint      not null check (total >= 0),
    customer_id       text        not null,
    customer_email    text        not null,
    client_token      text        not null,
    return_token      text        not null,
    created_at        timestamptz not null,
    expires_at        timestamptz,
    -- what a stretch changes
    updated_at        timestamptz not null,
    status            text        not null check (status in ('pending', 'processing', 'complete', 'cancelled')),
    payment_status    text        not null check (payment_status in
        ('pending', 'authorized', 'partially_paid', 'paid', 'partially_refunded', 'refunded', 'voided')),
    placed_at         timestamptz,
    paid_at           timestamptz,
    cancelled_at      timestamptz,
    cancel_reason     text        not null default '',
    new_notification  boolean     not null default false,
    review            text        not null default '',
    numbers           integer     not null,
    sequence          integer     not null,
    primary key (id),
    constraint orders_number_key unique (store, number)
) with (fillfactor = 70);
create index orders_by_store on orders (store, id);
create index orders_by_customer on orders (store, customer_id, id) where customer_id <> '';
create index orders_by_email on orders (store, lower(customer_email), id) where customer_email <> '';
create index orders_to_review on orders (store, id) where review <> '';
create index orders_with_news on orders (store, id) where new_notification;

-- What the store said about the order, apart from what changes often.
create table order_details (
    order_id uuid  not null references orders (id),
    body     json  not null,
    primary key (order_id)
);

create table payments (
    order_id    uuid        not null references orders (id),
    n           integer     not null,
    method      text        not null,
    gateway     text        not null,
    account     text        not null,
    mode        text        not null check (mode in ('test', 'live')),
    amount      bigint      not null check (amount >= 0),
    fee         bigint      not null,
    status      text        not null check (status in
        ('pending', 'authorized', 'partially_paid', 'paid', 'partially_refunded', 'refunded', 'voided', 'failed')),
    authorized  bigint      not null default 0,
    captured    bigint      not null default 0,
    refunded    bigint      not null default 0,
    voided      bigint      not null default 0,
    next_action json,
    created_at  timestamptz not null,
    primary key (order_id, n),
    constraint payments_sums check (0 <= refunded and refunded <= captured
        and 0 <= voided and captured + voided <= authorized)
) with (fillfactor = 70);

create table transactions (
    order_id          uuid        not null,
    store             text        not null,
    n                 integer     not null,
    payment           integer     not null,
    type              text        not null check (type in
        ('authorize', 'authorize_and_capture', 'capture', 'refund', 'void', 'credit', 'chargeback')),
    state             text        not null check (state in
        ('sending', 'not_sent', 'unknown', 'action_required', 'pending', 'declined', 'approved', 'reversed')),
    amount            bigint      not null check (amount >= 0),
    reference         text        check (length(reference) = 20),
    gateway_reference text        not null default '',
    parent            integer     not null default 0,
    held              boolean     not null default false,
    reason_code       text        not null default '',
    reason_message    text        not null default '',
    reason_decline    text        not null default '',
    created_at        timestamptz not null,
    settled_at        timestamptz,
    due_at            timestamptz,
    inquiries         integer     not null default 0,
    primary key (order_id, n),
    foreign key (order_id, payment) references payments (order_id, n),
    constraint transactions_reference_key unique (reference)
) with (fillfactor = 70);
create index transactions_by_time on transactions (store, created_at, order_id, n);
create index transactions_due on transactions (due_at) where due_at is not null;

create table effects (
    order_id uuid    not null references orders (id),
    key      text    not null,
    kind     text    not null,
    subject  text    not null,
    state    text    not null check (state in ('due', 'done', 'undo_due', 'undone', 'failed')),
    tries    integer not null default 0,
    note     text    not null default '',
    due_at   timestamptz,
    primary key (order_id, key)
);
create index effects_due on effects (due_at) where due_at is not null;

create table attributes (
    order_id   uuid        not null references orders (id),
    key        text        not null,
    value      json        not null,
    version    bigint      not null,
    updated_at timestamptz not null,
    primary key (order_id, key)
);

-- The journal: one row for each execution of a pipeline.
create table runs (
    order_id uuid        not null references orders (id),
    n        integer     not null,
    pipeline text        not null,
    hash     text        not null,
    state    text        not null check (state in ('calling', 'done', 'failed')),
    payment  integer     not null default 0,
    steps    json        not null,
    error    text        not null default '',
    tries    integer     not null default 0,
    token    uuid        not null,
    begun_at timestamptz not null,
    ended_at timestamptz,
    due_at   timestamptz,
    primary key (order_id, n)
);
create index runs_due on runs (due_at) where due_at is not null;

create table notes (
    order_id            uuid        not null references orders (id),
    n                   integer     not null,
    author              text        not null,
    text                text        not null,
    display_to_customer boolean     not null default false,
    at                  timestamptz not null,
    primary key (order_id, n)
);

-- The outbox. sequence orders the events of a store: it begins with the id of
-- the transaction that wrote the event, so a reader who stays below the oldest
-- running transaction sees no gaps and no late arrivals.
create table events (
    order_id    uuid        not null references orders (id),
    n           integer     not null,
    store       text        not null,
    sequence    bigint      not null,
    type        text        not null,
    body        json        not null,
    at          timestamptz not null,
    primary key (order_id, n)
);
create index events_by_sequence on events (store, sequence);

-- The inbox: verified notifications, raw bytes and all.
create table notifications (
    id          uuid        not null,
    store       text        not null,
    gateway     text        not null,
    account     text        not null,
    event_id    text        not null,
    type        text        not null,
    reference   text        not null,
    order_id    uuid ,
    state       text        not null check (state in ('applied', 'parked', 'failed', 'rejected')),
    error       text        not null default '',
    headers     json        not null,
    body        bytea       not null,
    facts       json        not null,
    received_at timestamptz not null,
    due_at      timestamptz,
    tries       integer     not null default 0,
    primary key (store, id),
    constraint notifications_event_key unique (store, account, event_id)
);
create index notifications_due on notifications (due_at) where due_at is not null;
create index notifications_by_order on notifications (order_id) where order_id is not null;
create index notifications_open on notifications (store, id) where state <> 'applied';

create table cases (
    id          uuid        not null,
    store       text        not null,
    order_id    uuid ,
    kind        text        not null,
    transaction integer     not null default 0,
    subject     text        not null default '',
    state       text        not null check (state in ('open', 'resolved')),
    detail      text        not null,
    opened_at   timestamptz not null,
    primary key (store, id)
);
-- A case is opened once, however often its reason is reported.
create unique index cases_once on cases (order_id, kind, transaction, subject) nulls not distinct;
create index cases_by_store on cases (store, state, id);

create table idempotency_keys (
    store       text        not null,
    operation   text        not null,
    key         text        not null,
    fingerprint bytea       not null,
    order_id    uuid ,
    payment     integer     not null default 0,
    finished    boolean     not null default false,
    status      integer,
    body        bytea,
    created_at  timestamptz not null,
    primary key (store, operation, key)
) with (fillfactor = 80);
create index idempotency_keys_by_age on idempotency_keys (created_at);

create table api_keys (
    hash       bytea       not null,
    id         text        not null,
    store      text        not null,
    kind       text        not null check (kind in ('secret', 'publishable')),
    scopes     text[]      not null,
    name       text        not null,
    created_at timestamptz not null,
    revoked_at timestamptz,
    primary key (hash),
    unique (id)
);
create index api_keys_by_store on api_keys (store, created_at, id);

-- Stock, promotion codes and baskets of stores that keep them here.
create table stock (
    store      text        not null,
    sku        text        not null,
    quantity   bigint      not null check (quantity >= 0),
    updated_at timestamptz not null,
    primary key (store, sku)
);

create table promotion_codes (
    store      text        not null,
    code       text        not null,
    used       bigint      not null default 0 check (used >= 0),
    usage_max  bigint,
    updated_at timestamptz not null,
    primary key (store, code)
);

create table baskets (
    store      text        not null,
    id         text        not null,
    body       json        not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    primary key (store, id)
);
