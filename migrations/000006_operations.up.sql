-- Order management: several payments for one order, what is done with the money
-- of a payment after it was made, and money that is on its way back.

alter table payments
    -- the gateway's own word for the method; '' for payments from before
    add column kind           text        not null default '',
    -- the number of the first payment of those that pay the order together, 0 for
    -- one that pays alone
    add column tender         integer     not null default 0,
    -- why its money is given back; '' for money that is the order's
    add column release_reason text        not null default '' check (release_reason in
        ('', 'tender_incomplete', 'cancelled', 'surplus', 'paid_after_cancel', 'capture_final', 'by_request')),
    -- whether what was taken is refunded, or only what is reserved voided
    add column release_refund boolean     not null default false,
    add column release_due_at timestamptz,
    add column release_tries  integer     not null default 0,
    -- until when the PSP keeps money reserved, and when to look at that next
    add column capture_before timestamptz,
    add column clock_due_at   timestamptz;
create index payments_release_due on payments (release_due_at) where release_due_at is not null;
create index payments_clock_due on payments (clock_due_at) where clock_due_at is not null;

alter table transactions
    -- the run that announced it, 0 for what the PSP began
    add column run             integer not null default 0,
    -- the store's own word for it, such as a shipment, and why it was asked for
    add column store_reference text    not null default '',
    add column purpose         text    not null default '';

-- A key answers for all that the run of its request announced.
alter table idempotency_keys add column run integer not null default 0;

-- Who caused what an event tells, and how we know of it: for the audit.
alter table events
    add column actor  text not null default '',
    add column source text not null default '';
