-- What may be kept of what the shopper entered (a masked IBAN, a purchase order
-- number), and values that only one order of a store may use.

alter table payments
    add column details json,
    -- a discount (a negative fee) never makes a payment cost less than nothing
    add constraint payments_charge check (amount + fee >= 0);

create table reservations (
    store    text        not null,
    -- what kind of value it is, and whose: '' is anybody's of the store
    scope    text        not null,
    subject  text        not null,
    value    text        not null,
    order_id uuid        not null,
    at       timestamptz not null,
    primary key (store, scope, subject, value)
);
