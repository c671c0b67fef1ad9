-- Gift cards of stores, and the ledger of each: what was put on it, taken from it
-- and given back. Codes are kept as hashes only.
--
-- The ledger is a chain: an entry begins with the balance that the one before left,
-- and a card has the balance of its last one. So the sum of a card's entries is its
-- balance, whoever writes them.

create table gift_cards (
    store      text        not null,
    id         uuid        not null,
    code_hash  bytea       not null check (length(code_hash) = 32),
    last4      text        not null,
    currency   text        not null check (length(currency) = 3),
    initial    bigint      not null check (initial > 0),
    balance    bigint      not null check (balance >= 0),
    -- how many entries its ledger has
    entries    integer     not null,
    active     boolean     not null default true,
    expires_at timestamptz,
    metadata   json        not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (store, id),
    constraint gift_cards_code_key unique (store, code_hash)
) with (fillfactor = 70);

create table gift_card_entries (
    store           text        not null,
    card            uuid        not null,
    n               integer     not null check (n > 0),
    previous        integer     generated always as (nullif(n - 1, 0)) stored,
    kind            text        not null check (kind in ('issue', 'take', 'return')),
    -- our reference of the transaction
    reference       text,
    -- of a return: the reference of the take that it gives back
    taken_reference text,
    order_id        uuid,
    amount          bigint      not null,
    before          bigint      not null,
    balance         bigint      not null check (balance >= 0),
    at              timestamptz not null,
    primary key (store, card, n),
    foreign key (store, card) references gift_cards (store, id),
    constraint gift_card_entries_reference_key unique (reference, kind),
    constraint gift_card_entries_balance_key unique (store, card, n, balance),
    constraint gift_card_entries_chain
        foreign key (store, card, previous, before) references gift_card_entries (store, card, n, balance),
    constraint gift_card_entries_add_up check (balance = before + amount),
    constraint gift_card_entries_begin check ((n = 1) = (kind = 'issue') and (n > 1 or before = 0)),
    constraint gift_card_entries_signs check (case kind when 'take' then amount < 0 else amount > 0 end),
    constraint gift_card_entries_references check (
        (kind = 'issue') = (reference is null) and (kind = 'return') = (taken_reference is not null))
);

alter table gift_cards add constraint gift_cards_balance
    foreign key (store, id, entries, balance) references gift_card_entries (store, card, n, balance)
    deferrable initially deferred;
