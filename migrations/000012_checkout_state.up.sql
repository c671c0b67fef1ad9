-- What a storefront keeps while the shopper chooses, by order and key. It lives
-- until the order is placed: then nobody can read it any more, and a job deletes it.
create table checkout_state (
    order_id   uuid        not null references orders (id),
    key        text        not null,
    value      json        not null,
    version    bigint      not null,
    updated_at timestamptz not null,
    primary key (order_id, key)
);
