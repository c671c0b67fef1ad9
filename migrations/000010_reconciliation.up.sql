-- The nightly comparison of our books with what PSPs list. It goes from page to
-- page, and may go on where it stood after a crash.

create table reconciliations (
    store         text        not null,
    account       text        not null,
    -- up to when PSP and books have been compared
    covered_until timestamptz not null,
    due_at        timestamptz not null,
    -- the comparison under way: its id, the end of its window, and how far it is;
    -- null while there is none
    run           uuid,
    until_at      timestamptz,
    -- 'listing': what the PSP lists is looked up here; 'checking': the reverse
    phase         text        not null default '' check (phase in ('', 'listing', 'checking')),
    cursor        text        not null default '',
    listed        integer     not null default 0,
    recorded      integer     not null default 0,
    orphans       integer     not null default 0,
    missing       integer     not null default 0,
    primary key (store, account)
) with (fillfactor = 50);
create index reconciliations_due on reconciliations (due_at);

-- What a comparison has found on the PSP's list; gone with its end.
create table reconciliation_seen (
    run      uuid    not null,
    order_id uuid    not null,
    n        integer not null,
    primary key (run, order_id, n)
);

-- Transactions settled in a window. It costs writers nothing to speak of: one entry
-- for some thousand rows, which lie in the table by their time.
create index transactions_settled on transactions using brin (settled_at) with (pages_per_range = 32);
